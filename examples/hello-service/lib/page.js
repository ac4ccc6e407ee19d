/** Colour of the page: two releases are told apart at a glance. */
export const accent = '#2563eb'

const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text that is safe in HTML, in quoted attributes too. */
export function escapeHtml(text) {
  return String(text).replace(/[&<>"']/gu, (character) => entities[character])
}

/** The start page: what this is, which release answers, and the three addresses worth a click. */
export function renderPage({ greeting, release }) {
  const facts = [
    ['Version', release.version],
    ['Environment', release.environment],
    ['Release', release.release?.slice(0, 12) ?? 'not released'],
    ['Commit', release.sha?.slice(0, 12) ?? 'working copy'],
  ]
  const rows = facts.map(([term, value]) => `<dt>${term}</dt><dd>${escapeHtml(value)}</dd>`).join('\n        ')
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>hello-service ${escapeHtml(release.version)} (${escapeHtml(release.environment)})</title>
    <style>${style}</style>
  </head>
  <body>
    <main>
      <p class="where">hello-service · ${escapeHtml(release.environment)}</p>
      <h1>${escapeHtml(greeting)}</h1>
      <dl>
        ${rows}
      </dl>
      <nav><a href="/version">/version</a><a href="/healthz">/healthz</a><a href="/api/greet?name=Ada">/api/greet</a></nav>
    </main>
  </body>
</html>
`
}

const style = `
  :root { color-scheme: light dark; --ink: #0f172a; --soft: #64748b; --paper: #f8fafc; --card: #fff; --line: #e2e8f0 }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e2e8f0; --soft: #94a3b8; --paper: #0b1120; --card: #111827; --line: #1f2937 }
  }
  * { box-sizing: border-box }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
    background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
  main { width: min(34rem, 100%); padding: 2.5rem; background: var(--card); border: 1px solid var(--line);
    border-top: 6px solid ${accent}; border-radius: 14px; box-shadow: 0 20px 50px rgb(0 0 0 / 8%) }
  .where { margin: 0; color: ${accent}; font-weight: 600; letter-spacing: .02em }
  h1 { margin: .25rem 0 1.5rem; font-size: clamp(1.6rem, 6vw, 2.4rem); line-height: 1.15; overflow-wrap: anywhere }
  dl { margin: 0; display: grid; grid-template-columns: auto 1fr; gap: .35rem 1.5rem }
  dt { color: var(--soft) }
  dd { margin: 0; font-family: ui-monospace, monospace; overflow-wrap: anywhere }
  nav { margin-top: 2rem; display: flex; flex-wrap: wrap; gap: .5rem }
  a { color: ${accent}; border: 1px solid var(--line); border-radius: 999px; padding: .3rem .9rem; text-decoration: none }
  a:hover, a:focus-visible { border-color: ${accent} }
`
