import { Marked, type MarkedExtension, type Tokens } from 'marked'
import { MARK } from './template.ts'

/** Text with marks, and what goes in their place. */
type Text = { text: string; values: readonly string[] }

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => ESCAPES[char]!)

const fill = (text: string, values: readonly string[], encode: (value: string) => string) =>
  text.replace(MARK, (_, index: string) => encode(values[Number(index)] ?? ''))

/**
 * A link's address: a value at its start is an address itself, any other one is a piece of it and is encoded. `#` unless it leads
 * to a web page or a mailbox, so that no value can smuggle in a script.
 */
export function toHref(href: string, values: readonly string[]): string {
  let isFirst = href.startsWith('\uE000')
  const filled = fill(href, values, (value) => {
    const text = isFirst ? value.trim() : encodeURIComponent(value)
    isFirst = false
    return text
  })
  if (!URL.canParse(filled)) return '#'
  return ['http:', 'https:', 'mailto:'].includes(new URL(filled).protocol) ? filled : '#'
}

/** Markdown to HTML. Values are escaped, and so is HTML in the markdown itself; images are left out. */
export function toHtml({ text, values }: Text): string {
  const isButton = (token: Tokens.Paragraph) => token.tokens.length === 1 && token.tokens[0]!.type === 'link'
  const anchor = (className: string, href: string, label: string) =>
    `<a${className && ` class="${className}"`} href="${escapeHtml(toHref(href, values))}">${label}</a>`
  const extension: MarkedExtension = {
    gfm: true,
    renderer: {
      html: ({ text }) => escapeHtml(text),
      image: ({ text }) => escapeHtml(text),
      link({ href, tokens }) {
        return anchor('', href, this.parser.parseInline(tokens))
      },
      paragraph(token) {
        if (!isButton(token)) return `<p>${this.parser.parseInline(token.tokens)}</p>\n`
        const { href, tokens } = token.tokens[0] as Tokens.Link
        return `<p>${anchor('button', href, this.parser.parseInline(tokens))}</p>\n`
      },
    },
  }
  return fill(new Marked(extension).parse(text, { async: false }), values, escapeHtml)
}

/** Markdown to plain text. Links stand behind their words, or are left out. */
export function toPlainText({ text, values }: Text, links: 'shown' | 'hidden' = 'shown'): string {
  const extension: MarkedExtension = {
    gfm: true,
    renderer: {
      html: ({ text }) => text,
      image: ({ text }) => text,
      text(token) {
        return 'tokens' in token && token.tokens ? this.parser.parseInline(token.tokens) : token.text
      },
      strong({ tokens }) {
        return this.parser.parseInline(tokens)
      },
      em({ tokens }) {
        return this.parser.parseInline(tokens)
      },
      del({ tokens }) {
        return this.parser.parseInline(tokens)
      },
      codespan: ({ text }) => text,
      br: () => '\n',
      link({ href, tokens }) {
        return links === 'hidden' ? '' : `${this.parser.parseInline(tokens)}: ${toHref(href, values)}`
      },
      heading({ tokens }) {
        return `${this.parser.parseInline(tokens)}\n\n`
      },
      paragraph({ tokens }) {
        return `${this.parser.parseInline(tokens)}\n\n`
      },
      blockquote({ tokens }) {
        const quoted = this.parser.parse(tokens).trim()
        return `${quoted.replace(/^/gm, '> ')}\n\n`
      },
      code: ({ text }) => `${text}\n\n`,
      hr: () => '---\n\n',
      list({ items, ordered }) {
        const lines = items.map((item, i) => `${ordered ? `${i + 1}.` : '-'} ${this.parser.parse(item.tokens).trim()}`)
        return `${lines.join('\n')}\n\n`
      },
      table({ header, rows }) {
        const line = (cells: Tokens.TableCell[]) =>
          cells
            .map((cell) => this.parser.parseInline(cell.tokens))
            .filter(Boolean)
            .join(' | ')
        return `${[header, ...rows].map(line).join('\n')}\n\n`
      },
    },
  }
  const plain = new Marked(extension).parse(text, { async: false })
  return fill(plain, values, (value) => value)
    .replace(/[^\S\n]+\n/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

/** A subject: one line, no markdown. */
export const toLine = ({ text, values }: Text): string =>
  fill(text, values, (value) => value)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not reach a header
    .replace(/[\s\u0000-\u001f\u007f]+/g, ' ')
    .trim()

/** Where the first link of a markdown text leads; empty when there is none. */
export function firstLink({ text, values }: Text): string {
  let found = ''
  const instance = new Marked({ gfm: true })
  instance.walkTokens(instance.lexer(text), (token) => {
    if (!found && token.type === 'link') found = toHref((token as Tokens.Link).href, values)
  })
  return found === '#' ? '' : found
}
