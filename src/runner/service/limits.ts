const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB

/** What the job's service takes. Reaching one is a named error; none of them is memory. */
export const serviceLimits = {
  /** A JSON request. */
  jsonBytesMax: MIB,
  /** The list of blocks that closes an upload: 50,000 ids of 64 characters. */
  blockListBytesMax: 8 * MIB,
  /** Blocks of one upload (as Azure). */
  blocksMax: 50_000,
  /** Uploads of one job that are open at the same time. */
  uploadsMax: 200,
  /** One artifact, packed and unpacked. */
  artifactBytesMax: 10 * GIB,
  /** One cache entry (as GitHub). */
  cacheEntryBytesMax: 10 * GIB,
  /** An artifact may unpack to this much more than its archive … */
  unpackedRatioMax: 200,
  /** … above these bytes: logs of zeros are no attack. */
  unpackedBytesFree: GIB,
  /** How long a signed address lives. */
  urlLifeMs: 60 * 60 * 1000,
  connectionsMax: 256,
  /** One request, upload included. */
  requestMsMax: 60 * 60 * 1000,
  headersMsMax: 30_000,
} as const
