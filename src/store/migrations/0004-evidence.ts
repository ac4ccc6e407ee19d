/** What the reports of a run prove about the release that it sealed. A later run of the same release brings its own. */
export const evidence = `
create table evidence (
  release text not null references release(id), run text not null, source text not null, at bigint not null, document text not null,
  primary key (release, run)
);
`
