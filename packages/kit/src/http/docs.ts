import { createHash } from 'node:crypto'

// Reads openapi.json next to it and lists the operations; nothing is loaded from elsewhere.
const SCRIPT = `
const el = (tag, props = {}, ...children) => { const node = Object.assign(document.createElement(tag), props); node.append(...children); return node }
const spec = await (await fetch('openapi.json')).json()
const deref = (node, seen = []) => {
  if (Array.isArray(node)) return node.map((item) => deref(item, seen))
  if (!node || typeof node !== 'object') return node
  if (node.$ref) return seen.includes(node.$ref) ? node.$ref.split('/').pop() : deref(node.$ref.slice(2).split('/').reduce((at, key) => at[key], spec), [...seen, node.$ref])
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, deref(value, seen)]))
}
const block = (title, content) => {
  const [type, media] = Object.entries(content ?? {})[0] ?? []
  return el('details', {}, el('summary', { textContent: type ? title + ' · ' + type : title }), ...(media?.schema ? [el('pre', { textContent: JSON.stringify(deref(media.schema), null, 2) })] : []))
}
document.title = spec.info.title
const main = document.querySelector('main')
main.append(el('h1', { textContent: spec.info.title + ' ' + spec.info.version }), el('p', { textContent: spec.info.description ?? '' }))
const groups = new Map()
for (const [path, item] of Object.entries(spec.paths)) for (const [method, op] of Object.entries(item)) {
  const tag = op.tags?.[0] ?? 'other'
  groups.set(tag, [...(groups.get(tag) ?? []), { path, method, op }])
}
for (const [tag, operations] of groups) {
  main.append(el('h2', { textContent: tag }))
  for (const { path, method, op } of operations) {
    const parameters = (op.parameters ?? []).map((p) => el('li', {}, el('code', { textContent: p.name }), ' ' + p.in + (p.required ? ', required' : '') + ' ', el('code', { textContent: JSON.stringify(deref(p.schema)) })))
    const responses = Object.entries(op.responses).map(([status, r]) => block(status + ' ' + r.description, r.content))
    main.append(el('details', { className: 'op' },
      el('summary', {}, el('b', { className: method, textContent: method.toUpperCase() }), el('code', { textContent: path }), el('span', { textContent: op.summary ?? '' }), el('i', { textContent: op['x-auth'] ?? '' })),
      el('p', { textContent: op.description ?? '' }), ...(parameters.length ? [el('ul', {}, ...parameters)] : []),
      ...(op.requestBody ? [block('Body', op.requestBody.content)] : []), ...responses))
  }
}
`
const STYLE = `
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}main{max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2rem;text-transform:capitalize}details.op{border:1px solid #8884;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}
summary{cursor:pointer}details.op>summary{display:flex;gap:.8rem;align-items:baseline}b{width:4.5rem}.get{color:#15803d}.post{color:#1d4ed8}
.put,.patch{color:#b45309}.delete{color:#b91c1c}i{margin-left:auto;opacity:.7}pre{overflow:auto;background:#8881;padding:.6rem;border-radius:4px}
`
const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** The documentation page: self-contained, renders the `openapi.json` beside it. */
export const docsHtml = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>API</title><style>${STYLE}</style></head><body><main></main><script type="module">${SCRIPT}</script></body></html>`

/** The page may run and look like this and nothing else. */
export const docsPolicy = `default-src 'none'; script-src ${digest(SCRIPT)}; style-src ${digest(STYLE)}; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'`
