/** What other services have said to the gates of a deployment or a run that asks: one row per gate and whoever asks. */
export const gateAnswer = `
create table gate_answer (
  subject text not null, environment text not null, gate text not null, release text, since bigint not null, at bigint not null,
  document text not null,
  primary key (subject, environment, gate)
);
create index gate_answer_release on gate_answer (release, at);
`
