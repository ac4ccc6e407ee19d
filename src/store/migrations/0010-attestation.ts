/** What is stated about releases, in envelopes that stand beside them. */
export const attestation = `
create table attestation (
  release text not null, digest text not null, envelope text not null, at bigint not null,
  primary key (release, digest)
);
`
