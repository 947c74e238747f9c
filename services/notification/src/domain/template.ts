import { isShown, type Payload, type Style, toText } from './values.ts'

/** A template's text that cannot be read. */
export class TemplateError extends Error {
  readonly line: number
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`)
    this.name = 'TemplateError'
    this.line = line
  }
}

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'value'; name: string }
  | { kind: 'section'; name: string; inverted: boolean; nodes: Node[] }

const TAG = /\{\{([#^/]?)\s*([^{}]*?)\s*\}\}/g
const NAME = /^(\.|[A-Za-z_]\w*(\.\w+)*)$/
// Values are put in after the markdown is rendered; until then characters of the private use area hold their place.
const OPEN = '\uE000'
const CLOSE = '\uE001'
export const MARK = /\uE000(\d+)\uE001/g
const RESERVED = /[\uE000\uE001]/g

/**
 * Reads placeholders `{{order.no}}` and sections `{{#items}} … {{/items}}`, inverted `{{^items}} … {{/items}}`. A section tag
 * alone on its line takes the line with it. Throws TemplateError.
 */
export function parse(source: string): Node[] {
  const text = source.replaceAll('\r\n', '\n').replaceAll(RESERVED, '')
  const lineAt = (index: number) => text.slice(0, index).split('\n').length
  const root: Node[] = []
  const open: { name: string; nodes: Node[]; at: number }[] = []
  const current = () => open.at(-1)?.nodes ?? root
  let end = 0
  const pushText = (until: number) => {
    const part = text.slice(end, until)
    const stray = /\{\{|\}\}/.exec(part)
    if (stray) throw new TemplateError(lineAt(end + stray.index), `"${stray[0]}" without its counterpart`)
    if (part) current().push({ kind: 'text', text: part })
  }
  for (const tag of text.matchAll(TAG)) {
    const [whole, sigil, name] = tag as unknown as [string, string, string]
    const line = lineAt(tag.index)
    if (!NAME.test(name)) throw new TemplateError(line, `"${whole}" is no placeholder`)
    let [from, to] = [tag.index, tag.index + whole.length]
    if (sigil) [from, to] = widen(text, from, to)
    pushText(Math.max(from, end))
    end = to
    if (sigil === '/') {
      const section = open.pop()
      if (section?.name !== name) throw new TemplateError(line, `{{/${name}}} closes nothing that is open`)
    } else if (sigil) {
      const nodes: Node[] = []
      current().push({ kind: 'section', name, inverted: sigil === '^', nodes })
      open.push({ name, nodes, at: line })
    } else current().push({ kind: 'value', name })
  }
  pushText(text.length)
  const unclosed = open.at(-1)
  if (unclosed) throw new TemplateError(unclosed.at, `{{#${unclosed.name}}} is never closed`)
  return root
}

/** The whole line when the tag stands alone on it. */
function widen(text: string, from: number, to: number): [number, number] {
  const start = text.lastIndexOf('\n', from - 1) + 1
  const newline = text.indexOf('\n', to)
  const stop = newline === -1 ? text.length : newline + 1
  const alone = text.slice(start, from).trim() === '' && text.slice(to, stop).trim() === ''
  return alone ? [start, stop] : [from, to]
}

/** Every variable a template names, sorted; of those inside a list, the list's name comes first: `items.title`. */
export function variables(nodes: readonly Node[], prefix = ''): string[] {
  const names = new Set<string>()
  for (const node of nodes) {
    if (node.kind === 'text') continue
    names.add(node.name === '.' ? prefix || '.' : node.name)
    if (node.kind === 'section') for (const name of variables(node.nodes, node.name)) names.add(name)
  }
  return [...names].sort()
}

/** A template's text with marks where the values go. */
export type Expanded = { text: string; values: string[]; missing: string[] }

/**
 * Works off sections and puts marks for values. A placeholder without a value is `missing`; a section without one is just not
 * shown. With `showMissing` the placeholder's name stands in for the value.
 */
export function expand(nodes: readonly Node[], payload: Payload, style: Style, showMissing = false): Expanded {
  const values: string[] = []
  const missing = new Set<string>()
  const walk = (list: readonly Node[], scopes: readonly unknown[]): string =>
    list
      .map((node) => {
        if (node.kind === 'text') return node.text
        const value = lookup(node.name, scopes)
        if (node.kind === 'section') return section(node, value, scopes)
        const text = toText(value, style)
        if (text === undefined) missing.add(node.name)
        const shown = text ?? (showMissing ? `[${node.name}]` : '')
        return `${OPEN}${values.push(shown.replaceAll(RESERVED, '')) - 1}${CLOSE}`
      })
      .join('')
  const section = (node: Node & { kind: 'section' }, value: unknown, scopes: readonly unknown[]): string => {
    if (node.inverted) return isShown(value) ? '' : walk(node.nodes, scopes)
    if (!isShown(value)) return ''
    if (Array.isArray(value)) return value.map((item) => walk(node.nodes, [item, ...scopes])).join('')
    return walk(node.nodes, [value, ...scopes])
  }
  const text = walk(nodes, [payload])
  return { text, values, missing: [...missing].sort() }
}

/** The value of a dotted name in the innermost scope that knows its first part; own properties only. */
function lookup(name: string, scopes: readonly unknown[]): unknown {
  if (name === '.') return scopes[0]
  const [first, ...rest] = name.split('.') as [string, ...string[]]
  let value: unknown
  for (const scope of scopes) {
    value = property(scope, first)
    if (value !== undefined) break
  }
  for (const part of rest) value = property(value, part)
  return value ?? undefined
}

function property(object: unknown, name: string): unknown {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return undefined
  return Object.hasOwn(object, name) ? (object as Payload)[name] : undefined
}
