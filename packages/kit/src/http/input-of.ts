import { type DescEnum, type DescField, type DescMessage, getOption } from '@bufbuild/protobuf'
import { registry } from '@haat/proto/image'
import { z } from '@hono/zod-openapi'
import { moneySchema, pageQuery } from './schemas.ts'
import { enumNamesOf, type ProtoMessage } from './view.ts'

/**
 * The body a request message takes, made from its contract: strict, with the contract's own limits, enums by their small
 * name, money as `{ currency, minor }`, times in ISO 8601. What it yields goes to the RPC as it is; `omit` names what the
 * route itself fills in (ids of the path, the Idempotency-Key), `extra` what it takes besides. The service checks the same
 * rules again.
 */
export function inputOf<
  Message,
  const Omitted extends keyof Message = never,
  Extra extends z.ZodRawShape = Record<never, z.ZodType>,
>(
  message: ProtoMessage<Message>,
  options: { omit?: readonly Omitted[]; extra?: Extra } = {},
): z.ZodType<Omit<Message, Omitted> & z.infer<z.ZodObject<Extra>>> {
  const descriptor = registry.getMessage(message.$type)
  if (!descriptor) throw new Error(`${message.$type} is not in the descriptor image: run "npm run gen"`)
  const omitted = new Set<string>((options.omit ?? []) as readonly string[])
  const shape = { ...objectOf(descriptor, omitted).shape, ...options.extra }
  return z.strictObject(shape).openapi(descriptor.name.replace(/Request$/, 'Input')) as never
}

/**
 * The query a list request takes, made from its contract: parameters in the contract's own snake_case, `page_size` clamped to
 * 1..100 (20), numbers, booleans and enum names read from text. What it yields goes to the RPC as it is.
 */
export function queryOf<Message, const Omitted extends keyof Message = never>(
  message: ProtoMessage<Message>,
  options: { omit?: readonly Omitted[] } = {},
): z.ZodPipe<z.ZodObject, z.ZodTransform<Partial<Omit<Message, Omitted>>, Record<string, unknown>>> {
  const descriptor = registry.getMessage(message.$type)
  if (!descriptor) throw new Error(`${message.$type} is not in the descriptor image: run "npm run gen"`)
  const omitted = new Set<string>((options.omit ?? []) as readonly string[])
  const fields = descriptor.fields.filter(
    (field) => !omitted.has(field.localName) && field.oneof === undefined && field.fieldKind !== 'map',
  )
  const names = new Map(fields.map((field) => [field.name, field.localName]))
  const shape = Object.fromEntries(
    fields.map((field) => [field.name, pageQuery[field.name as keyof typeof pageQuery] ?? parameterOf(field)]),
  )
  return z.object(shape).transform((query) =>
    Object.fromEntries(
      Object.entries(query)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [names.get(name)!, value]),
    ),
  ) as never
}

function parameterOf(field: DescField): z.ZodType {
  if (field.fieldKind === 'enum') return enumOf(field.enum).optional()
  if (field.fieldKind === 'message') return messageOf(field.message).optional()
  if (field.fieldKind !== 'scalar') return z.never().optional()
  if (field.scalar === BOOL) return z.stringbool().optional()
  if (field.scalar === STRING) return scalarOf(field.scalar, rulesOf(field)).optional()
  return z
    .string()
    .regex(/^-?\d{1,15}$/)
    .transform(Number)
    .pipe(scalarOf(field.scalar, rulesOf(field)) as z.ZodType<unknown, number>)
    .optional()
}

const fieldRules = registry.getExtension('buf.validate.field')
const known = new Map<string, z.ZodType>()

type Bounds = { case?: string; value?: number | bigint }
type NumberRules = { lessThan: Bounds; greaterThan: Bounds }
type StringRules = { minLen: bigint; maxLen: bigint; pattern: string; in: string[]; wellKnown: { case?: string } }
type Rules = {
  required: boolean
  type: { case?: string; value?: unknown }
}

const rulesOf = (field: DescField): Rules | undefined =>
  fieldRules && field.proto.options ? (getOption(field, fieldRules) as unknown as Rules) : undefined

function objectOf(descriptor: DescMessage, omitted: ReadonlySet<string> = new Set()) {
  const fields = descriptor.fields.filter((field) => !omitted.has(field.localName) && field.oneof === undefined)
  return z.strictObject(Object.fromEntries(fields.map((field) => [field.localName, fieldOf(field)])))
}

function messageOf(descriptor: DescMessage): z.ZodType {
  if (descriptor.typeName === 'google.protobuf.Timestamp')
    return z.iso.datetime({ offset: true }).transform((text) => new Date(text))
  if (descriptor.typeName === 'haat.common.v1.Money')
    return moneySchema.transform(({ currency, minor }) => ({ currency, minor: BigInt(minor) }))
  let schema = known.get(descriptor.typeName)
  if (!schema) {
    schema = objectOf(descriptor).openapi(`${descriptor.name}Input`)
    known.set(descriptor.typeName, schema)
  }
  return schema
}

function fieldOf(field: DescField): z.ZodType {
  const rules = rulesOf(field)
  switch (field.fieldKind) {
    case 'list': {
      const {
        minItems = 0n,
        maxItems = 0n,
        items,
      } = (rules?.type.value ?? {}) as {
        minItems?: bigint
        maxItems?: bigint
        items?: Rules
      }
      const item =
        field.listKind === 'message'
          ? messageOf(field.message)
          : field.listKind === 'enum'
            ? enumOf(field.enum)
            : scalarOf(field.scalar, items)
      let list = z.array(item).min(Number(minItems))
      if (maxItems > 0n) list = list.max(Number(maxItems))
      return minItems > 0n ? list : list.default([])
    }
    case 'map': {
      const { maxPairs = 0n } = (rules?.type.value ?? {}) as { maxPairs?: bigint }
      const entry =
        field.mapKind === 'message'
          ? messageOf(field.message)
          : field.mapKind === 'enum'
            ? enumOf(field.enum)
            : scalarOf(field.scalar)
      return z
        .record(z.string().max(200), entry)
        .refine(
          (map) => maxPairs === 0n || Object.keys(map).length <= Number(maxPairs),
          `has at most ${maxPairs} entries`,
        )
        .default({})
    }
    case 'message':
      return rules?.required ? messageOf(field.message) : messageOf(field.message).optional()
    case 'enum':
      return rules?.type.value && (rules.type.value as { notIn: number[] }).notIn.includes(0)
        ? enumOf(field.enum)
        : field.proto.proto3Optional
          ? enumOf(field.enum).optional()
          : enumOf(field.enum)
              .optional()
              .transform((value) => value ?? 0)
    default: {
      const schema = scalarOf(field.scalar, rules)
      if (field.proto.proto3Optional) return schema.optional()
      const zero = zeroOf(field.scalar)
      // A zero that the rules refuse cannot be what an absent field means.
      return schema.safeParse(JSON_ZERO[typeof zero as keyof typeof JSON_ZERO] ?? zero).success && !rules?.required
        ? schema.optional().transform((value) => value ?? zero)
        : schema
    }
  }
}

const JSON_ZERO = { bigint: 0 }
const INT64 = new Set([3, 4, 6, 16, 18])
const STRING = 9
const BOOL = 8
const BYTES = 12

function zeroOf(scalar: number): unknown {
  if (INT64.has(scalar)) return 0n
  if (scalar === STRING) return ''
  if (scalar === BOOL) return false
  return 0
}

function scalarOf(scalar: number, rules?: Rules): z.ZodType {
  if (scalar === STRING)
    return stringOf((rules?.type.case === 'string' ? rules.type.value : undefined) as StringRules | undefined)
  if (scalar === BOOL) return z.boolean()
  if (scalar === BYTES) return z.never()
  const { greaterThan, lessThan } = (rules?.type.value ?? { greaterThan: {}, lessThan: {} }) as NumberRules
  let number = scalar === 1 || scalar === 2 ? z.number() : INT64.has(scalar) ? z.int() : z.int32()
  if (greaterThan?.case === 'gte') number = number.gte(Number(greaterThan.value))
  if (greaterThan?.case === 'gt') number = number.gt(Number(greaterThan.value))
  if (lessThan?.case === 'lte') number = number.lte(Number(lessThan.value))
  if (lessThan?.case === 'lt') number = number.lt(Number(lessThan.value))
  return INT64.has(scalar) ? number.transform((value) => BigInt(value)) : number
}

function stringOf(rules: StringRules | undefined): z.ZodType {
  if (rules?.in.length) return z.enum(rules.in as [string])
  if (rules?.wellKnown.case === 'uuid') return z.uuid()
  if (rules?.wellKnown.case === 'email') return z.email().max(254)
  let text = z.string()
  if (rules?.minLen) text = text.min(Number(rules.minLen))
  text = text.max(rules?.maxLen ? Number(rules.maxLen) : 10_000)
  // The document takes a pattern's flags for a part of it, unless it is told the pattern itself.
  if (rules?.pattern) text = text.regex(new RegExp(rules.pattern, 'u')).openapi({ pattern: rules.pattern })
  return text
}

function enumOf(descriptor: DescEnum): z.ZodType {
  const names = enumNamesOf(descriptor)
  const numbers = new Map([...names].map(([number, name]) => [name, number]))
  return z.enum([...names.values()]).transform((name) => numbers.get(name)!)
}
