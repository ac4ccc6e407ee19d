/**
 * Members of concurrency groups instead of counted slots: GitHub's rules need to know who has a group, who waits, and who ousted whom.
 * `job` is empty when the whole run is the member.
 */
export const concurrencyMember = `
drop index job_concurrency;
alter table job drop column concurrency;
drop table concurrency;
create table concurrency_member (
  run text not null references run(id), job text not null, application text not null, name text not null,
  state text not null, seq bigint not null, by_run text, by_job text,
  primary key (run, job)
);
create index concurrency_member_group on concurrency_member(application, name, seq);
`
