import { type Raw, type RawHash, toJson } from './form.ts'
import { invalidRequest } from './stripe-error.ts'

/** How one parameter is read. `required` is what turns its absence into parameter_missing. */
export type Param<T> = { read: (raw: Raw, name: string) => T; required?: boolean }
export type Shape = Record<string, Param<unknown>>
export type Values<S extends Shape> = {
  [K in keyof S]: S[K] extends { required: true; read: (raw: Raw, name: string) => infer T }
    ? T
    : S[K] extends Param<infer T>
      ? T | undefined
      : never
}

/** Refuses unknown and missing parameters by name, as the API does, before anything is executed. */
export function readParams<S extends Shape>(raw: RawHash, shape: S, path = ''): Values<S> {
  const nameOf = (key: string) => (path === '' ? key : `${path}[${key}]`)
  const unknown = [...raw.keys()].filter((key) => !Object.hasOwn(shape, key)).map(nameOf)
  const [first] = unknown
  if (first !== undefined) {
    const message = `Received unknown parameter${unknown.length > 1 ? 's' : ''}: ${unknown.join(', ')}`
    throw invalidRequest(message, { code: 'parameter_unknown', param: first })
  }
  const values: Record<string, unknown> = {}
  for (const [key, param] of Object.entries(shape)) {
    const value = raw.get(key)
    const name = nameOf(key)
    if (value !== undefined) values[key] = param.read(value, name)
    else if (param.required) throw missingParam(name)
  }
  return values as Values<S>
}

export function missingParam(name: string): Error {
  return invalidRequest(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name })
}

export function required<T>(param: Param<T>): Param<T> & { required: true } {
  return { ...param, required: true }
}

export function text(): Param<string> {
  return {
    read: (raw, name) => {
      if (typeof raw !== 'string')
        throw invalidRequest(`Invalid string: ${JSON.stringify(toJson(raw))}`, { param: name })
      return raw
    },
  }
}

export function integer(limits: { min?: number; max?: number } = {}): Param<number> {
  const code = 'parameter_invalid_integer'
  return {
    read: (raw, name) => {
      if (raw === '') throw emptyParam(name)
      const shown = typeof raw === 'string' ? raw : JSON.stringify(toJson(raw))
      if (!/^[+-]?\d{1,15}$/.test(shown)) throw invalidRequest(`Invalid integer: ${shown}`, { code, param: name })
      const value = Number(shown)
      if (limits.min !== undefined && value < limits.min) {
        throw invalidRequest(`This value must be greater than or equal to ${limits.min}.`, { code, param: name })
      }
      if (limits.max !== undefined && value > limits.max) {
        throw invalidRequest(`This value must be less than or equal to ${limits.max}.`, { code, param: name })
      }
      return value
    },
  }
}

export function flag(): Param<boolean> {
  return {
    read: (raw, name) => {
      if (raw === 'true' || raw === 'false') return raw === 'true'
      throw invalidRequest(`Invalid boolean: ${typeof raw === 'string' ? raw : 'hash'}`, { param: name })
    },
  }
}

export function oneOf<T extends string>(...allowed: [T, ...T[]]): Param<T> {
  return {
    read: (raw, name) => {
      const found = allowed.find((value) => value === raw)
      if (found === undefined)
        throw invalidRequest(`Invalid ${name}: must be one of ${allowed.join(', ')}`, { param: name })
      return found
    },
  }
}

export function hash<S extends Shape>(shape: S): Param<Values<S>> {
  return { read: (raw, name) => readParams(asHash(raw, name), shape, name) }
}

/** A hash that is stored and given back without being looked into. */
export function anyHash(): Param<unknown> {
  return { read: (raw, name) => toJson(asHash(raw, name)) }
}

export function list<T>(item: Param<T>): Param<T[]> {
  return { read: (raw, name) => [...asHash(raw, name)].map(([key, value]) => item.read(value, `${name}[${key}]`)) }
}

const currencies = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()))

export function currency(): Param<string> {
  return {
    read: (raw, name) => {
      const code = text().read(raw, name).toLowerCase()
      if (!currencies.has(code)) throw invalidRequest(`Invalid currency: ${code}.`, { param: name })
      return code
    },
  }
}

/** Pairs to merge into what is stored; an empty value removes its key, and `metadata=` removes them all. */
export type MetadataChange = { clear: boolean; set: Record<string, string> }

export function metadata(): Param<MetadataChange> {
  return {
    read: (raw, name) => {
      if (raw === '') return { clear: true, set: {} }
      const pairs = [...asHash(raw, name)].map(([key, value]) => [key, text().read(value, `${name}[${key}]`)] as const)
      if (pairs.length > 50) throw invalidRequest('Metadata can have up to 50 keys.', { param: name })
      for (const [key, value] of pairs) {
        const param = `${name}[${key}]`
        if (key.length > 40) throw invalidRequest('Metadata keys can have up to 40 characters.', { param })
        if (value.length > 500) throw invalidRequest('Metadata values can have up to 500 characters.', { param })
      }
      return { clear: false, set: Object.fromEntries(pairs) }
    },
  }
}

export function applyMetadata(
  current: Record<string, string>,
  change: MetadataChange | undefined,
): Record<string, string> {
  if (!change) return current
  const merged = change.clear ? {} : { ...current, ...change.set }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''))
}

function asHash(raw: Raw, name: string): RawHash {
  if (typeof raw === 'string') throw invalidRequest('Invalid hash', { param: name })
  return raw
}

function emptyParam(name: string): Error {
  const message = `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a parameter; however '${name}' cannot be unset.`
  return invalidRequest(message, { code: 'parameter_invalid_empty', param: name })
}
