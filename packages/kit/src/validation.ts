import { type DescMessage, fromBinary } from '@bufbuild/protobuf'
import { createValidator } from '@bufbuild/protovalidate'
import { registry } from '@haat/proto/image'
import type { FieldViolation } from './errors.ts'

// Patterns come from our own contracts, never from input; they are anchored and simple, and as few as the contracts have.
const patterns = new Map<string, RegExp>()
const validator = createValidator({
  registry,
  regexMatch(pattern, against) {
    let compiled = patterns.get(pattern)
    if (!compiled) {
      compiled = new RegExp(pattern, 'u')
      patterns.set(pattern, compiled)
    }
    return compiled.test(against)
  },
})

/** The contract's field rules, checked on the bytes as they came; an empty list means the message is valid. */
export function violations(message: DescMessage, bytes: Uint8Array): FieldViolation[] {
  const result = validator.validate(message, fromBinary(message, bytes))
  if (result.kind === 'valid') return []
  if (result.kind === 'error') throw result.error
  return result.violations.map((violation) => ({
    field: violation.field.length ? pathOf(violation.field) : '',
    rule: violation.ruleId,
    message: violation.message || violation.ruleId,
  }))
}

type PathPart = { kind: string; name?: string; sub?: unknown; key?: unknown; index?: number }

function pathOf(path: readonly unknown[]): string {
  let text = ''
  for (const part of path as PathPart[]) {
    if (part.kind === 'list_sub') text += `[${part.index}]`
    else if (part.kind === 'map_sub') text += `[${String(part.key)}]`
    else text += `${text ? '.' : ''}${part.name ?? ''}`
  }
  return text
}
