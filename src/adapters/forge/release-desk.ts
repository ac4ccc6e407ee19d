import type { ForgeRelease } from '#core/release/publication.ts'
import type { OpenReleaseDesk, PublishedRelease, ReleaseDesk } from '#ports/release-desk.ts'
import { callForge, forgeAddress, objectOf, pathOf, textOf } from './forge-call.ts'
import type { ForgeAddress } from './forge-call.ts'

/** The releases of each forge. */
export const openReleaseDesk: OpenReleaseDesk = async (place, token, signal) => {
  const forge = forgeAddress(place, token, signal)
  return place.forge === 'gitlab'
    ? gitLabDesk(forge, `projects/${encodeURIComponent(place.repository)}/releases`)
    : commonDesk(forge, `repos/${pathOf(place.repository)}/releases`)
}

/** GitHub's; Gitea has taken over its paths. A draft has no tag yet and is not found: it is somebody's work that is not out. */
function commonDesk(forge: ForgeAddress, releases: string): ReleaseDesk {
  const asked = ({ tag, sha, title, body, isPrerelease }: ForgeRelease): object => ({
    tag_name: tag,
    target_commitish: sha,
    name: title,
    body,
    prerelease: isPrerelease,
  })
  return {
    find: async (tag) => {
      const answer = await callForge(forge, 'GET', `${releases}/tags/${encodeURIComponent(tag)}`)
      if (answer === undefined) return undefined
      const found = objectOf(answer)
      return {
        key: String(found['id']),
        title: textOf(found['name']),
        body: textOf(found['body']),
        isPrerelease: found['prerelease'] === true,
        url: textOf(found['html_url']),
      }
    },
    create: async (release) =>
      textOf(objectOf(await callForge(forge, 'POST', releases, { ...asked(release), draft: false }))['html_url']),
    update: async (key, release) => {
      await callForge(forge, 'PATCH', `${releases}/${encodeURIComponent(key)}`, asked(release))
    },
  }
}

/** GitLab finds releases by their tag, and knows no pre-releases. */
function gitLabDesk(forge: ForgeAddress, releases: string): ReleaseDesk {
  return {
    find: async (tag) => {
      const answer = await callForge(forge, 'GET', `${releases}/${encodeURIComponent(tag)}`)
      return answer === undefined ? undefined : readGitLab(objectOf(answer))
    },
    create: async ({ tag, sha, title, body }) => {
      const asked = { tag_name: tag, ref: sha, name: title, description: body }
      return readGitLab(objectOf(await callForge(forge, 'POST', releases, asked))).url
    },
    update: async (key, { title, body }) => {
      await callForge(forge, 'PUT', `${releases}/${encodeURIComponent(key)}`, { name: title, description: body })
    },
  }
}

function readGitLab(found: Readonly<Record<string, unknown>>): PublishedRelease {
  return {
    key: textOf(found['tag_name']),
    title: textOf(found['name']),
    body: textOf(found['description']),
    isPrerelease: undefined,
    url: textOf(objectOf(found['_links'])['self']),
  }
}
