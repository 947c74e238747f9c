import { randomUUID } from 'node:crypto'

export type Schema = {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  format?: string
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  anyOf?: Schema[]
  allOf?: Schema[]
}
export type Parameter = { name: string; in: 'path' | 'query' | 'header'; schema: Schema; required?: boolean }
export type Operation = {
  api: string
  method: string
  path: string
  auth: 'public' | 'user' | 'vendor' | 'staff'
  parameters: Parameter[]
  /** Of the body, when there is one. */
  contentType: string | undefined
  schema: Schema | undefined
}

type Document = {
  paths: Record<
    string,
    Record<
      string,
      {
        'x-auth': Operation['auth']
        parameters?: Parameter[]
        requestBody?: { content: Record<string, { schema: Schema }> }
      }
    >
  >
  components: { schemas: Record<string, Schema> }
}

/** Every operation an API documents, with all references resolved. */
export async function readOperations(api: string, baseUrl: string): Promise<Operation[]> {
  const document = (await (await fetch(`${baseUrl}/openapi.json`)).json()) as Document
  const resolve = (schema: Schema, depth = 0): Schema => {
    if (depth > 12) return {}
    if (schema.$ref) return resolve(document.components.schemas[schema.$ref.split('/').at(-1)!]!, depth + 1)
    if (schema.allOf) return merge(schema.allOf.map((part) => resolve(part, depth + 1)))
    return {
      ...schema,
      ...(schema.items ? { items: resolve(schema.items, depth + 1) } : {}),
      ...(schema.anyOf ? { anyOf: schema.anyOf.map((each) => resolve(each, depth + 1)) } : {}),
      ...(schema.properties
        ? {
            properties: Object.fromEntries(
              Object.entries(schema.properties).map(([name, each]) => [name, resolve(each, depth + 1)]),
            ),
          }
        : {}),
    }
  }
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => {
      const [contentType, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
      return {
        api,
        method: method.toUpperCase(),
        path,
        auth: operation['x-auth'],
        parameters: operation.parameters ?? [],
        contentType,
        schema: media?.schema.format === 'binary' ? undefined : media && resolve(media.schema),
      }
    }),
  )
}

/** What no value can satisfy in an API's document: two closed objects in one, a default that its own schema refuses. */
export async function contradictionsOf(baseUrl: string): Promise<string[]> {
  const document = (await (await fetch(`${baseUrl}/openapi.json`)).json()) as Document
  const found: string[] = []
  const walk = (node: unknown, path: string) => {
    if (typeof node !== 'object' || node === null) return
    const schema = node as Schema & { default?: unknown }
    if (Array.isArray(schema.allOf)) {
      const parts = schema.allOf.map((part) =>
        part.$ref ? document.components.schemas[part.$ref.split('/').at(-1)!]! : part,
      )
      if (parts.length > 1 && parts.some(({ additionalProperties }) => additionalProperties === false))
        found.push(`${path}: a closed object in an allOf`)
    }
    if (schema.default !== undefined && schema.enum && !schema.enum.includes(schema.default))
      found.push(`${path}: the default ${JSON.stringify(schema.default)} is none of its values`)
    for (const [name, each] of Object.entries(node)) walk(each, `${path}.${name}`)
  }
  walk(document, baseUrl)
  return found
}

/** Objects that a value must all be, as one. */
const merge = (parts: Schema[]): Schema => ({
  ...Object.assign({}, ...parts),
  properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
  required: parts.flatMap(({ required = [] }) => required),
})

// Words that satisfy the patterns of our documents, simplest first.
const WORDS = [
  'BD',
  'BDT',
  'abc',
  'abc-1',
  'ABC-1',
  '+8801712345678',
  '011000015',
  '0123456789012',
  'a.b',
  'a_b',
  'en',
  '#aabbcc',
  'https://example.com/hook',
]

/** Something that the schema accepts; `required` leaves out what may be left out. */
export function sample(schema: Schema, fields: 'required' | 'all'): unknown {
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return sample(schema.anyOf[0]!, fields)
  switch (typeOf(schema)) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([name]) => fields === 'all' || schema.required?.includes(name))
          .map(([name, each]) => [name, sample(each, fields)]),
      )
    case 'array':
      return schema.items ? [sample(schema.items, fields)] : []
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 1, 1)
    case 'boolean':
      return true
    default:
      return text(schema)
  }
}

function text({ format, pattern, minLength = 0, maxLength = 1_000 }: Schema): string {
  if (format === 'uuid') return randomUUID()
  if (format === 'email') return 'somebody@example.com'
  if (format === 'date-time') return '2026-01-01T00:00:00Z'
  if (format === 'uri') return 'https://example.com/hook'
  const fits = (word: string) => word.length >= minLength && word.length <= maxLength
  const found = pattern ? WORDS.find((word) => new RegExp(pattern, 'u').test(word) && fits(word)) : undefined
  return found ?? 'x'.repeat(Math.max(minLength, Math.min(6, maxLength)))
}

const typeOf = ({ type }: Schema): string | undefined => (Array.isArray(type) ? type.find((t) => t !== 'null') : type)

export type Spoiled = { what: string; value: unknown }

/** Bodies with exactly one thing wrong each. */
export function spoil(schema: Schema): Spoiled[] {
  const good = sample(schema, 'all')
  const found: Spoiled[] = []
  const walk = (part: Schema, path: (string | number)[], value: unknown) => {
    const where = path.join('.') || 'body'
    const set = (what: string, wrong: unknown) =>
      found.push({ what: `${where}: ${what}`, value: replaced(good, path, wrong) })
    const type = typeOf(part)
    if (type === 'object') {
      set('is a text', 'text')
      set('is a list', [])
      if (part.additionalProperties === false) set('has an unknown field', { ...(value as object), unknownField: 1 })
      for (const name of part.required ?? []) {
        const { [name]: _gone, ...rest } = value as Record<string, unknown>
        set(`has no ${name}`, rest)
      }
      for (const [name, each] of Object.entries(part.properties ?? {}))
        walk(each, [...path, name], (value as Record<string, unknown>)[name])
    } else if (type === 'array') {
      set('is an object', {})
      if (part.items) walk(part.items, [...path, 0], (value as unknown[])[0])
    } else if (type === 'integer' || type === 'number') {
      set('is a text', '1')
      set('is a fraction', 1.5)
      set('is null', null)
      set('is negative', -1)
      set('is out of range', 1e300)
      set('overflows an int64', 2 ** 63)
      set('is minus an int64', -(2 ** 64))
    } else if (type === 'boolean') set('is a text', 'yes')
    else if (type === 'string') {
      set('is a number', 42)
      set('is an object', { $gt: '' })
      set('has a NUL', `a\0b`)
      if (part.maxLength !== undefined) set('is too long', 'x'.repeat(part.maxLength + 1))
      if (part.enum || part.format) set('is nonsense', 'no such thing')
    }
  }
  walk(schema, [], good)
  return found
}

function replaced(value: unknown, [step, ...rest]: (string | number)[], wrong: unknown): unknown {
  if (step === undefined) return wrong
  if (Array.isArray(value)) return value.map((item, index) => (index === step ? replaced(item, rest, wrong) : item))
  const object = value as Record<string, unknown>
  return { ...object, [step]: replaced(object[step], rest, wrong) }
}
