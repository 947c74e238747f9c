import { invalidRequest } from './stripe-error.ts'

/** A form value: text, or the hash that bracketed names spell. Arrays are hashes with the keys 0, 1, 2 … */
export type Raw = string | RawHash
export type RawHash = Map<string, Raw>

/** Reads `a[b][c]=v`, `a[]=v` and `a[0]=v`, percent-encoded or not. */
export function parseForm(text: string): RawHash {
  const root: RawHash = new Map()
  for (const [name, value] of new URLSearchParams(text)) put(root, segmentsOf(name), value, name)
  return root
}

/** Plain objects and arrays, for parameters that are only stored and given back. */
export function toJson(raw: Raw): unknown {
  if (typeof raw === 'string') return raw
  const keys = [...raw.keys()]
  if (keys.length > 0 && keys.every((key, index) => key === String(index))) return [...raw.values()].map(toJson)
  // Own properties on a null prototype: a parameter called __proto__ stays a parameter.
  return Object.assign(Object.create(null), Object.fromEntries([...raw].map(([key, value]) => [key, toJson(value)])))
}

/** One text per set of parameters, whatever order they were sent in. */
export function canonical(raw: RawHash): string {
  const pairs = (hash: RawHash, path: string[]): string[] =>
    [...hash].flatMap(([key, value]) =>
      typeof value === 'string' ? [JSON.stringify([...path, key, value])] : pairs(value, [...path, key]),
    )
  return pairs(raw, []).toSorted().join('\n')
}

function segmentsOf(name: string): string[] {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name)
  if (!match) throw invalidRequest(`Invalid parameter name: ${name}`, { param: name })
  const [, head = '', rest = ''] = match
  return [head, ...[...rest.matchAll(/\[([^[\]]*)\]/g)].map((found) => found[1] ?? '')]
}

function put(hash: RawHash, segments: string[], value: string, name: string): void {
  const [head = '', ...rest] = segments
  const key = head === '' ? String(hash.size) : head
  const present = hash.get(key)
  if (rest.length === 0) {
    if (present instanceof Map)
      throw invalidRequest(`Invalid request: ${name} is both a value and a hash`, { param: name })
    hash.set(key, value)
    return
  }
  if (typeof present === 'string')
    throw invalidRequest(`Invalid request: ${name} is both a value and a hash`, { param: name })
  const child: RawHash = present ?? new Map()
  hash.set(key, child)
  put(child, rest, value, name)
}
