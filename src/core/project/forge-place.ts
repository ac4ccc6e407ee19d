/** A repository at a forge, as its API is asked about it. */
export interface ForgePlace {
  readonly forge: 'github' | 'gitlab' | 'gitea'
  /** `owner/name`; at GitLab the path or number of the project. */
  readonly repository: string
  /** Address of the forge's API. */
  readonly url: string
  /** Name of the secret with the token. */
  readonly token: string
}
