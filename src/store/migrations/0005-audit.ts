/** Who did what and what came of it, each entry with the hash of the one before. `audit_head` has one row. */
export const audit = `
create table audit (
  seq bigint primary key, at bigint not null, actor text not null, action text not null, application text, environment text,
  subject text, detail text not null, previous text not null, hash text not null
);
create table audit_head (
  id integer primary key, seq bigint not null, hash text not null
);
`
