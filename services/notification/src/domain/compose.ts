import { framedHtml, framedText } from './layout.ts'
import type { Locale } from './locale.ts'
import type { ChannelName } from './names.ts'
import { firstLink, toHtml, toLine, toPlainText } from './render.ts'
import { expand, type Node, parse, variables } from './template.ts'
import type { Payload, Style } from './values.ts'

export type TemplateText = { channel: ChannelName; locale: Locale; subject: string; body_md: string }

export type Composed = { subject: string; html: string; text: string; link: string; missing: string[] }

export type ComposeOptions = {
  payload: Payload
  site: { name: string; storefront: string; vendor: string }
  timeZone: string
  /** Empty: the message cannot be opted out of. */
  unsubscribeUrl?: string
  /** Names stand in for values that are missing. */
  showMissing?: boolean
}

/** Writes a message: a page and text for e-mail, text for the others. Throws TemplateError. */
export function compose(template: TemplateText, options: ComposeOptions): Composed {
  const { site, timeZone, showMissing = false } = options
  const payload: Payload = { ...options.payload, site }
  const style: Style = { locale: template.locale, timeZone }
  const head = expand(parse(template.subject), payload, style, showMissing)
  const body = expand(parse(template.body_md), payload, style, showMissing)
  const subject = toLine(head)
  const missing = [...new Set([...head.missing, ...body.missing])].sort()
  if (template.channel === 'sms') return { subject: '', html: '', text: toPlainText(body), link: '', missing }
  if (template.channel === 'push')
    return { subject, html: '', text: toPlainText(body, 'hidden'), link: firstLink(body), missing }
  const frame = {
    locale: template.locale,
    siteName: site.name,
    siteUrl: site.storefront,
    unsubscribeUrl: options.unsubscribeUrl ?? '',
  }
  return {
    subject,
    html: framedHtml(subject, toHtml(body), frame),
    text: framedText(toPlainText(body), frame),
    link: '',
    missing,
  }
}

const nodesOf = (template: { subject: string; body_md: string }): Node[] => [
  ...parse(template.subject),
  ...parse(template.body_md),
]

/** Variables a template names. Throws TemplateError. */
export const variablesOf = (template: { subject: string; body_md: string }): string[] => variables(nodesOf(template))

/** Placeholders that would have no value with a payload like this one, whichever sections are shown. */
export function unknownVariables(template: { subject: string; body_md: string }, sample: Payload): string[] {
  const unknown = new Set<string>()
  const style: Style = { locale: 'en', timeZone: 'UTC' }
  const walk = (nodes: readonly Node[], scope: Payload) => {
    for (const node of nodes) {
      if (node.kind === 'value') for (const name of expand([node], scope, style).missing) unknown.add(name)
      if (node.kind === 'section') walk(node.nodes, { ...scope, ...inside(scope, node.name) })
    }
  }
  walk(nodesOf(template), sample)
  return [...unknown].sort()
}

/** What a section's own names would be: the first item of a list, or the object itself. */
function inside(scope: Payload, name: string): Payload {
  let value: unknown = scope
  for (const part of name.split('.')) value = (value as Payload | undefined)?.[part]
  const first = Array.isArray(value) ? value[0] : value
  return typeof first === 'object' && first !== null ? (first as Payload) : { '.': first }
}
