import { getOption } from '@bufbuild/protobuf'
import { registry } from '@haat/proto/image'

/** A message of an events.proto, as generated code exports it. */
export type EventMessage<Data> = {
  readonly $type: string
  toJSON(message: Data): unknown
  fromJSON(object: unknown): Data
}

/** A message with what its contract says about it as an event. */
export type EventDefinition<Data> = EventMessage<Data> & {
  /** Routing key and envelope type: `order.paid`. */
  readonly type: string
  /** Schema version; consumers take only the versions they have a handler for. */
  readonly version: number
  /** Aggregate type: `order`. */
  readonly aggregate: string
  /** The message's property that holds the aggregate's id: `orderId`. */
  readonly aggregateIdField: string
}

const definitions = new Map<string, EventDefinition<unknown>>()

/** The message's event definition, read once from the contract; throws when the message is not marked as an event. */
export function eventOf<Data>(message: EventMessage<Data>): EventDefinition<Data> {
  if ('aggregateIdField' in message) return message as EventDefinition<Data>
  let definition = definitions.get(message.$type) as EventDefinition<Data> | undefined
  if (!definition) {
    definition = fromContract(message)
    definitions.set(message.$type, definition as EventDefinition<unknown>)
  }
  return definition
}

function fromContract<Data>(message: EventMessage<Data>): EventDefinition<Data> {
  const extension = registry.getExtension('haat.options.v1.event')
  const descriptor = registry.getMessage(message.$type)
  if (!extension || !descriptor) throw new Error(`${message.$type} is not in the descriptor image: run "npm run gen"`)
  const option = getOption(descriptor, extension) as unknown as {
    type: string
    version: number
    aggregate: string
    aggregateIdField: string
  }
  if (!option.type) throw new Error(`${message.$type} has no (haat.options.v1.event) option`)
  const idField = descriptor.fields.find((field) => field.name === option.aggregateIdField)
  if (!idField) throw new Error(`${message.$type}: aggregate_id_field names no field: "${option.aggregateIdField}"`)
  return {
    $type: message.$type,
    toJSON: (data) => message.toJSON(data),
    fromJSON: (object) => message.fromJSON(object),
    type: option.type,
    version: option.version || 1,
    aggregate: option.aggregate,
    aggregateIdField: idField.localName,
  }
}
