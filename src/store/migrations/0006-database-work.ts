/** Backups and restores of the databases of environments. The files of backups are beside the store. */
export const databaseWork = `
create table database_work (
  id text primary key, kind text not null, application text not null, environment text not null, ticket text, requested_by text not null,
  state text not null, conclusion text, reason text, document text not null, seq bigint not null,
  created_at bigint not null, finished_at bigint, removed_at bigint
);
create index database_work_place on database_work (application, environment, created_at);
`
