import { findAny, type Store } from '../store/store.ts'
import { invalidRequest } from './stripe-error.ts'

/** Replaces the ids at the given dotted paths by the objects they name; in lists paths begin with `data.` */
export function expand(store: Store, body: object, paths: string[]): object {
  const copy = structuredClone(body)
  for (const path of paths) expandPath(store, copy, path.split('.'), path)
  return copy
}

function expandPath(store: Store, target: object, segments: string[], path: string): void {
  const [key = '', ...rest] = segments
  const holder = target as Record<string, unknown>
  if (!Object.hasOwn(holder, key))
    throw invalidRequest(`This property cannot be expanded (${path}).`, { param: 'expand' })
  const value = holder[key]
  if (value === null) return
  if (Array.isArray(value)) {
    for (const item of value) expandPath(store, item as object, rest, path)
    return
  }
  if (typeof value === 'string') {
    const found = findAny(store, value)
    if (!found) throw invalidRequest(`This property cannot be expanded (${path}).`, { param: 'expand' })
    holder[key] = structuredClone(found)
  }
  if (rest.length > 0) expandPath(store, holder[key] as object, rest, path)
}
