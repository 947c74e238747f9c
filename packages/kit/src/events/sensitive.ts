import { type DescMessage, getOption } from '@bufbuild/protobuf'
import { registry } from '@haat/proto/image'
import type { Envelope } from './envelope.ts'

/** An event without the fields that its contract marks as sensitive, those of inner messages too. */
export function withoutSensitive(envelope: Envelope): Envelope {
  const { sealed: _, ...event } = envelope
  return { ...event, data: splitEvent(event).plain }
}

type Json = Record<string, unknown>
/** A message's JSON without its sensitive fields, and these alone in a copy of its shape; undefined when it has none. */
type Parts = { plain: unknown; secret: unknown }

/** Takes an event's data apart. */
export function splitEvent({ type, data }: Pick<Envelope, 'type' | 'data'>): Parts {
  const message = messages().get(type)
  return message ? split(message, data) : { plain: data, secret: undefined }
}

/** What `splitEvent` took apart, as it was. */
export function merge(plain: unknown, secret: unknown): unknown {
  if (secret === undefined || secret === null) return plain
  if (Array.isArray(plain)) return plain.map((each, index) => merge(each, (secret as unknown[])[index]))
  const whole: Json = { ...(plain as Json) }
  for (const [name, value] of Object.entries(secret)) whole[name] = name in whole ? merge(whole[name], value) : value
  return whole
}

/** The same for any message. */
export function split(message: DescMessage, json: unknown): Parts {
  if (Array.isArray(json)) {
    const parts = json.map((each) => split(message, each))
    const isPlain = parts.every(({ secret }) => secret === undefined)
    return {
      plain: parts.map(({ plain }) => plain),
      secret: isPlain ? undefined : parts.map(({ secret }) => secret ?? null),
    }
  }
  const { own, inner } = sensitiveOf(message)
  if (typeof json !== 'object' || json === null || own.length + inner.length === 0)
    return { plain: json, secret: undefined }
  const plain: Json = { ...json }
  const secret: Json = {}
  for (const name of own)
    if (name in plain) {
      secret[name] = plain[name]
      delete plain[name]
    }
  for (const [name, type] of inner)
    if (name in plain) {
      const parts = split(type, plain[name])
      plain[name] = parts.plain
      if (parts.secret !== undefined) secret[name] = parts.secret
    }
  return { plain, secret: Object.keys(secret).length ? secret : undefined }
}

let byType: Map<string, DescMessage> | undefined

/** The messages that are events, by routing key. */
function messages(): Map<string, DescMessage> {
  const event = registry.getExtension('haat.options.v1.event')
  if (!event) throw new Error('the descriptor image knows no events: run "npm run gen"')
  byType ??= new Map(
    [...registry]
      .filter((item) => item.kind === 'message')
      .map((message) => [(getOption(message, event) as unknown as { type: string }).type, message]),
  )
  return byType
}

/** The sensitive fields of a message, and its fields with messages that may have some. */
type Sensitive = { own: string[]; inner: [string, DescMessage][] }
const known = new Map<DescMessage, Sensitive>()

function sensitiveOf(message: DescMessage): Sensitive {
  let found = known.get(message)
  if (!found) {
    const option = registry.getExtension('haat.options.v1.sensitive')!
    const isOwn = (field: DescMessage['fields'][number]) => Boolean(getOption(field, option))
    const own = message.fields.filter(isOwn).map(({ localName }) => localName)
    found = { own, inner: [] }
    // Known before its inner messages are looked at: a message may contain itself.
    known.set(message, found)
    for (const field of message.fields)
      if (field.message && field.fieldKind !== 'map' && !isOwn(field))
        found.inner.push([field.localName, field.message])
    found.inner = found.inner.filter(([, type]) => {
      const { own, inner } = sensitiveOf(type)
      return own.length + inner.length > 0
    })
  }
  return found
}
