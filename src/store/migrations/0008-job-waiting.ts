/** Since when a job waits for its environment: one that nobody lets in does not wait for ever. */
export const jobWaiting = `
alter table job add column waits_since bigint;
`
