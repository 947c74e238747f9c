import { type DescMessage, getOption } from '@bufbuild/protobuf'
import { registry } from '@haat/proto/image'
import type { Envelope } from './envelope.ts'

/** An event without the fields that its contract marks as sensitive, those of inner messages too. */
export function withoutSensitive(envelope: Envelope): Envelope {
  const message = messages().get(envelope.type)
  const { sealed: _, ...event } = envelope
  return message ? { ...event, data: strip(message, event.data) } : event
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

/** A message's JSON without its sensitive fields. */
export function strip(message: DescMessage, json: unknown): unknown {
  if (Array.isArray(json)) return json.map((each) => strip(message, each))
  if (typeof json !== 'object' || json === null) return json
  const sensitive = registry.getExtension('haat.options.v1.sensitive')!
  const left: Record<string, unknown> = { ...json }
  for (const field of message.fields) {
    if (getOption(field, sensitive)) delete left[field.localName]
    else if (field.message && field.fieldKind !== 'map' && field.localName in left)
      left[field.localName] = strip(field.message, left[field.localName])
  }
  return left
}
