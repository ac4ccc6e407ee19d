/** Releases that are published at a forge, or were: one row per release. */
export const publication = `
create table publication (
  release text primary key, application text not null, state text not null, is_forced integer not null, tries integer not null,
  next_at bigint not null, problem text, act text, url text, created_at bigint not null
);
create index publication_open on publication (state, created_at);
`
