/** What is to be told to the forge: one row per end of a run or a deployment, in the order in which they ended. */
export const issueReport = `
create table issue_report (
  id text primary key, application text not null, topic text not null, ref text not null, kind text not null, document text not null,
  state text not null, tries integer not null, next_at bigint not null, issue integer, problem text, created_at bigint not null
);
create index issue_report_topic on issue_report (application, topic, created_at);
create index issue_report_open on issue_report (state, created_at);
`
