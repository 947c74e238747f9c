import type { Random } from '../../seed/random.ts'
import type { Method } from '../rpcs.ts'

type Message = Method['input']
type Field = Message['fields'][number]

/** Texts that somebody means harm with, or that nobody thought of. */
export const TEXTS = [
  '',
  ' ',
  'a',
  '0',
  '-1',
  '1e309',
  '9'.repeat(40),
  'x'.repeat(300),
  'x'.repeat(70_000),
  "' or 1=1 --",
  "'; drop table users; --",
  '{"$gt":""}',
  '{"$where":"sleep(1000)"}',
  '{{7*7}} #{7*7} <%= 7*7 %>',
  '<script>alert(1)</script>',
  'line\r\nx-injected: 1',
  'nul\0byte',
  '\u202Egnp.exe',
  '\uFEFFmark',
  '\uD800',
  '👩‍👩‍👧‍👦'.repeat(20),
  'İıſK',
  '__proto__',
  'constructor',
  'toString',
  '../../../../etc/passwd',
  '..\\..\\windows',
  '%00',
  '%s%n%x',
  'null',
  'true',
  '2026-13-45T99:99:99Z',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  'eyJhbGciOiJub25lIn0.e30.',
  'W10=',
  'eyJpZCI6bnVsbH0',
  'http://169.254.169.254/latest/meta-data',
  'somebody@example.com',
  'BDT',
  'BD',
  'en',
]

const INT32 = [0, 1, -1, 2, 100, 101, 10_000, 2_147_483_647, -2_147_483_648]
const INT64 = [0n, 1n, -1n, 100n, 2n ** 53n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)]
const DATES = [0, 1, -62_135_596_800_000, 253_402_300_799_000, 1_893_456_000_000]
const SCALAR = { double: 1, float: 2, bool: 8, string: 9, bytes: 12 }
const BIG = new Set([3, 4, 6, 16, 18])

/** A request like `base`, with one to three fields of it made up. */
export function spoiled(message: Message, base: object, random: Random, words: readonly string[]): object {
  const copy = structuredClone(base) as Record<string, unknown>
  for (let times = random.int(1, 3); times > 0; times--) change(message, copy, random, words)
  return copy
}

function change(message: Message, value: Record<string, unknown>, random: Random, words: readonly string[]): void {
  if (message.fields.length === 0) return
  const field = random.pick(message.fields)
  const inOneof = field.oneof && !field.proto.proto3Optional
  const inner = inOneof || random.chance(0.4) ? undefined : innerOf(field, value[field.localName], random)
  if (inner) {
    change(inner.message, inner.value, random, words)
    return
  }
  const made = random.chance(0.1) ? undefined : madeOf(field, random, words, 0)
  if (field.oneof && inOneof) value[field.oneof.localName] = { $case: field.localName, value: made }
  else value[field.localName] = made
}

/** The message that is a field's value, or one of them. */
function innerOf(field: Field, value: unknown, random: Random) {
  if (field.fieldKind === 'message' && !field.message.typeName.startsWith('google.') && isPlain(value))
    return { message: field.message, value }
  if (field.fieldKind === 'list' && field.listKind === 'message' && Array.isArray(value) && value.length)
    return { message: field.message, value: random.pick(value) as Record<string, unknown> }
  return undefined
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

function madeOf(field: Field, random: Random, words: readonly string[], depth: number): unknown {
  const many = <Item>(make: () => Item) => Array.from({ length: random.pick([0, 1, 2, 3, 101]) }, make)
  switch (field.fieldKind) {
    case 'scalar':
      return scalarOf(field.scalar, random, words)
    case 'enum':
      return random.pick([...field.enum.values.map(({ number }) => number), 99, -1])
    case 'message':
      return messageOf(field.message, random, words, depth + 1)
    case 'list':
      if (field.listKind === 'scalar') return many(() => scalarOf(field.scalar, random, words))
      if (field.listKind === 'enum') return many(() => random.pick([0, 1, 2, 99]))
      return many(() => messageOf(field.message, random, words, depth + 1))
    default:
      return Object.fromEntries(many(() => [random.pick(words), random.pick(words)]))
  }
}

function messageOf(message: Message, random: Random, words: readonly string[], depth: number): unknown {
  if (message.typeName === 'google.protobuf.Timestamp') return new Date(random.pick(DATES))
  if (message.typeName === 'google.protobuf.Struct') return structOf(random, words, 0)
  if (depth > 4) return {}
  const made: Record<string, unknown> = {}
  for (const field of message.fields) {
    if (random.chance(0.2)) continue
    const value = madeOf(field, random, words, depth)
    if (field.oneof && !field.proto.proto3Optional) made[field.oneof.localName] = { $case: field.localName, value }
    else made[field.localName] = value
  }
  return made
}

const structOf = (random: Random, words: readonly string[], depth: number): object =>
  Object.fromEntries(
    Array.from({ length: random.int(0, 3) }, () => [
      random.pick(words).slice(0, 50),
      depth < 20 && random.chance(0.6)
        ? structOf(random, words, depth + 1)
        : random.pick([null, true, 1e300, ...words]),
    ]),
  )

function scalarOf(scalar: number, random: Random, words: readonly string[]): unknown {
  if (scalar === SCALAR.string) return random.pick(words)
  if (scalar === SCALAR.bool) return random.chance(0.5)
  if (scalar === SCALAR.bytes) return Buffer.from(random.pick(words))
  if (scalar === SCALAR.double || scalar === SCALAR.float) return random.pick([0, -1, 1e300, Number.NaN, Infinity])
  return BIG.has(scalar) ? random.pick(INT64) : random.pick(INT32)
}

/** Bytes that are no message any more, or hardly: cut off, flipped, made of nothing, or meant to exhaust the reader. */
export function brokenBytes(good: Uint8Array, random: Random): Uint8Array {
  const bytes = Buffer.from(good)
  switch (random.int(0, 6)) {
    case 0:
      return bytes.subarray(0, random.int(0, bytes.length))
    case 1: {
      for (let times = random.int(1, 8); times > 0 && bytes.length; times--)
        bytes[random.int(0, bytes.length - 1)] = random.int(0, 255)
      return bytes
    }
    case 2:
      return Buffer.from(Array.from({ length: random.int(1, 400) }, () => random.int(0, 255)))
    case 3:
      // A length that goes far beyond the end.
      return Buffer.concat([bytes, Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])])
    case 4:
      // Groups in groups in groups.
      return Buffer.alloc(random.pick([50, 20_000]), 0x0b)
    case 5:
      // A message in a message in a message, whatever field 1 is.
      return nested(random.pick([30, 3_000]))
    default:
      return Buffer.concat([bytes, bytes, Buffer.from([0x08, ...Array<number>(11).fill(0xff)])])
  }
}

function nested(depth: number): Buffer {
  let inner = Buffer.alloc(0)
  for (let level = 0; level < depth; level++) inner = Buffer.concat([Buffer.from([0x0a]), varint(inner.length), inner])
  return inner
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
  return Buffer.from([...bytes, rest])
}
