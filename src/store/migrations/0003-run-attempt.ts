/**
 * A run that is run again keeps what its earlier attempts were; a job counts its starts on through all of them, so that no log and no lease of an
 * earlier attempt is ever met again. `jobs` is JSON: rows as they were at the end of the attempt.
 */
export const runAttempt = `
create table run_attempt (
  run text not null references run(id), attempt integer not null, ticket text not null, conclusion text, reason text,
  started_at bigint, finished_at bigint, jobs text not null,
  primary key (run, attempt)
);
alter table job add column attempts_before integer not null default 0;
alter table job add column environment_url text;
`
