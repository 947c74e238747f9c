import type { DescEnum, DescField, DescMessage } from '@bufbuild/protobuf'
import { registry } from '@haat/proto/image'
import { z } from '@hono/zod-openapi'
import { intJson, moneySchema } from './schemas.ts'

/**
 * What a contract's message looks like as JSON: money as `{ currency, minor }`, times in ISO 8601, enums by their small
 * name ("pending"), int64 as a number, and null for what is unset.
 */
export type Json<T> = T extends Date
  ? string
  : T extends bigint
    ? number
    : T extends Uint8Array
      ? never
      : T extends readonly (infer Item)[]
        ? Json<Item>[]
        : T extends string | boolean
          ? T
          : T extends number
            ? number extends T
              ? number
              : string | null
            : T extends undefined
              ? null
              : T extends object
                ? { [K in keyof T]-?: Json<T[K]> }
                : T

/** A message's JSON and the schema that documents it. */
export type View<Message, Omitted extends keyof Message = never> = {
  schema: z.ZodType<Json<Omit<Message, Omitted>>>
  toJson(message: Message): Json<Omit<Message, Omitted>>
}

/** A message of generated code. */
export type ProtoMessage<Message> = { readonly $type: string; decode(bytes: Uint8Array): Message }
type Shape = { schema: z.ZodType; convert: (value: unknown) => unknown }

const shapes = new Map<string, Shape>()

/**
 * The view of a message, made from its contract; `omit` leaves out what a page must not see or does not need. Nested
 * messages are shown whole, so a message with secrets inside is put together by hand instead.
 */
export function viewOf<Message, const Omitted extends keyof Message = never>(
  message: ProtoMessage<Message>,
  options: { omit?: readonly Omitted[]; name?: string } = {},
): View<Message, Omitted> {
  const descriptor = registry.getMessage(message.$type)
  if (!descriptor) throw new Error(`${message.$type} is not in the descriptor image: run "npm run gen"`)
  const omitted = new Set<string>((options.omit ?? []) as readonly string[])
  const shape = omitted.size || options.name ? build(descriptor, omitted, options.name) : shapeOf(descriptor)
  return { schema: shape.schema as never, toJson: shape.convert as never }
}

type EnumName<E> = Lowercase<Exclude<keyof E & string, 'UNSPECIFIED'>>

/** The names of an enum's values, as they stand in paths, queries and bodies; transformed to the contract's number. */
export const enumSchema = <const E extends Record<string, number>>(type: E) =>
  namesOf(type).transform((name) => type[name.toUpperCase() as keyof E]!)

/** An enum that may be left out; the document names the default as clients write it. */
export const enumSchemaOr = <const E extends Record<string, number>>(type: E, name: NoInfer<EnumName<E>>) =>
  namesOf(type)
    .default(name as never)
    .transform((chosen) => type[chosen.toUpperCase() as keyof E]!)

const namesOf = <const E extends Record<string, number>>(type: E) =>
  z.enum(
    Object.keys(type)
      .filter((name) => name !== 'UNSPECIFIED')
      .map((name) => name.toLowerCase()) as [EnumName<E>],
  )

function shapeOf(descriptor: DescMessage): Shape {
  const known = shapes.get(descriptor.typeName)
  if (known) return known
  const shape = special(descriptor) ?? build(descriptor, new Set())
  shapes.set(descriptor.typeName, shape)
  return shape
}

function special(descriptor: DescMessage): Shape | undefined {
  if (descriptor.typeName === 'google.protobuf.Timestamp')
    return { schema: z.iso.datetime(), convert: (value) => (value as Date).toISOString() }
  if (descriptor.typeName === 'haat.common.v1.Money')
    return {
      schema: moneySchema,
      convert: (value) => {
        const money = value as { currency: string; minor: bigint }
        return { currency: money.currency, minor: intJson(money.minor) }
      },
    }
  return undefined
}

function build(descriptor: DescMessage, omitted: ReadonlySet<string>, name?: string): Shape {
  const fields = descriptor.fields
    .filter((field) => !omitted.has(field.localName) && field.oneof === undefined)
    .filter((field) => !(field.fieldKind === 'scalar' && field.scalar === BYTES))
    .map((field) => ({ name: field.localName, ...fieldShape(field) }))
  const schema = z
    .object(Object.fromEntries(fields.map((field) => [field.name, field.schema])))
    .openapi(name ?? componentName(descriptor))
  return {
    schema,
    convert(value) {
      const source = value as Record<string, unknown>
      const json: Record<string, unknown> = {}
      for (const field of fields) json[field.name] = field.convert(source[field.name])
      return json
    },
  }
}

const BYTES = 12
const BOOL = 8
const STRING = 9
const INT64 = new Set([3, 4, 6, 16, 18])
const same = (value: unknown) => value

function fieldShape(field: DescField): Shape {
  switch (field.fieldKind) {
    case 'list': {
      const item =
        field.listKind === 'message'
          ? shapeOf(field.message)
          : field.listKind === 'enum'
            ? enumShape(field.enum)
            : scalarShape(field.scalar)
      return {
        schema: z.array(item.schema),
        convert: item.convert === same ? same : (value) => (value as unknown[]).map(item.convert),
      }
    }
    case 'map': {
      const item =
        field.mapKind === 'message'
          ? shapeOf(field.message)
          : field.mapKind === 'enum'
            ? enumShape(field.enum)
            : scalarShape(field.scalar)
      return {
        schema: z.record(z.string(), item.schema),
        convert: (value) =>
          Object.fromEntries(
            Object.entries(value as Record<string, unknown>).map(([key, entry]) => [key, item.convert(entry)]),
          ),
      }
    }
    case 'message':
      return nullable(shapeOf(field.message))
    case 'enum':
      return enumShape(field.enum)
    default: {
      const shape = scalarShape(field.scalar)
      return field.proto.proto3Optional ? nullable(shape) : shape
    }
  }
}

const nullable = (shape: Shape): Shape => ({
  schema: shape.schema.nullable(),
  convert: (value) => (value === undefined || value === null ? null : shape.convert(value)),
})

function scalarShape(scalar: number): Shape {
  if (INT64.has(scalar)) return { schema: z.int(), convert: (value) => intJson(value as bigint) }
  if (scalar === STRING) return { schema: z.string(), convert: same }
  if (scalar === BOOL) return { schema: z.boolean(), convert: same }
  return { schema: z.number(), convert: same }
}

function enumShape(descriptor: DescEnum): Shape {
  const names = enumNamesOf(descriptor)
  return {
    schema: z.enum([...names.values()]).nullable(),
    // A value newer than this process is shown as unset rather than breaking the page.
    convert: (value) => names.get(value as number) ?? null,
  }
}

/** An enum's values by number, under their small names: `VENDOR_STATUS_PENDING` is "pending". */
export function enumNamesOf(descriptor: DescEnum): Map<number, string> {
  const prefix = `${descriptor.name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}_`
  const named = descriptor.values.filter((value) => value.number !== 0)
  return new Map(named.map((value) => [value.number, value.name.replace(prefix, '').toLowerCase()]))
}

/** `haat.order.v1.VendorOrder` → `OrderVendorOrder`; common messages keep their own name. */
function componentName(descriptor: DescMessage): string {
  const service = descriptor.typeName.split('.')[1] ?? ''
  const prefix = service === 'common' ? '' : service[0]!.toUpperCase() + service.slice(1)
  return `${descriptor.name.startsWith(prefix) ? '' : prefix}${descriptor.name}`
}
