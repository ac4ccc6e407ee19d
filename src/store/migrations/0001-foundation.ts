/**
 * The first schema. Rows are the state, `event` is the history and is written in the same transaction.
 * Times are milliseconds since 1970 by the store's clock. JSON columns are text.
 *
 *     ticket 1─0..1 run 1─* job 1─* step
 *                    run 1─* event          event.run is the id of a run or of a deployment
 *     release 1─* deployment (environment) ── approval, environment_state
 */
export const foundation = `
create table application (
  name text primary key, repository text not null, config text not null, config_sha text, updated_at bigint not null
);
create table ticket (
  id text primary key, kind text not null, digest text not null, body text not null,
  priority text not null, requested_by text not null, created_at bigint not null, received_at bigint not null,
  state text not null, outcome text, subject text, finished_at bigint
);
create index ticket_open on ticket(priority, created_at, id) where state = 'open';
create table run (
  id text primary key, number bigint not null, application text not null, ticket text not null references ticket(id),
  attempt integer not null, event text not null, ref text not null, sha text not null, actor text not null,
  workflow text not null, title text not null, state text not null, conclusion text, reason text, cancelled text,
  seq bigint not null, priority integer not null, document text not null,
  created_at bigint not null, started_at bigint, finished_at bigint
);
create unique index run_number on run(application, number);
create index run_state on run(state);
create table job (
  id {id}, run text not null references run(id), key text not null, job text not null, name text not null,
  state text not null, conclusion text, reason text, leg text, outputs text, annotations text,
  priority integer not null, ready_at bigint, attempt integer not null, owner text, lease_until bigint, process text,
  concurrency text, started_at bigint, finished_at bigint
);
create unique index job_key on job(run, key);
create index job_ready on job(priority, ready_at, id) where state = 'ready';
create index job_leased on job(lease_until) where state = 'leased';
create index job_concurrency on job(concurrency, priority, id) where state = 'waiting';
create table step (
  run text not null, job text not null, attempt integer not null, number integer not null,
  id text not null, name text not null, state text not null, outcome text, conclusion text, reason text,
  duration_ms bigint, log_start bigint, log_end bigint,
  primary key (run, job, attempt, number)
);
create table event (
  run text not null, seq bigint not null, at bigint not null, type text not null, body text not null,
  primary key (run, seq)
);
create table concurrency (
  name text primary key, used integer not null, slots integer not null
);
create table counter (
  name text primary key, value bigint not null
);
create table release (
  id text primary key, application text not null, version text not null, sha text not null, ref text not null,
  run text, created_at bigint not null, manifest text not null, sealed_by text not null, bad text
);
create unique index release_version on release(application, version);
create table deployment (
  id text primary key, application text not null, environment text not null, release text not null references release(id),
  ticket text not null, run text, kind text not null, state text not null, conclusion text, reason text,
  seq bigint not null, previous text, plan_hash text not null, document text not null, receipt text, requested_by text not null,
  created_at bigint not null, started_at bigint, finished_at bigint
);
create index deployment_environment on deployment(application, environment, created_at);
create index deployment_open on deployment(state) where state <> 'done';
create table approval (
  id text primary key, application text not null, environment text not null, subject text not null, release text,
  plan_hash text, decision text not null, actor text not null, reason text, at bigint not null, expires_at bigint
);
create index approval_subject on approval(subject, environment);
create table environment_state (
  application text not null, name text not null, current text, deployment text,
  locked_by text, lock_reason text, lock_until bigint, locked_at bigint,
  held_by text, hold_reason text, held_at bigint,
  primary key (application, name)
);
`

/** PostgreSQL only: rows that change often leave room for their next version, and are swept early. */
export const foundationForPostgres = `
alter table job set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
alter table concurrency set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);
alter table run set (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);
`
