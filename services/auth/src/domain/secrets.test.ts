import { deriveKey, open, seal } from '@haat/kit/seal'
import { expect, test } from 'vitest'
import { hashOf, newToken, parseSecrets } from './secrets.ts'

const key = deriveKey('secret', 'test')

test('what was sealed opens with the same key in the same place only', () => {
  const sealed = seal(key, 'ключ', 'table:column:1')
  expect(open(key, sealed, 'table:column:1').toString('utf8')).toBe('ключ')
  expect(() => open(key, sealed, 'table:column:2')).toThrow()
  expect(() => open(deriveKey('other', 'test'), sealed, 'table:column:1')).toThrow()
  sealed[sealed.length - 1]! ^= 1
  expect(() => open(key, sealed, 'table:column:1')).toThrow()
})

test('sealing the same twice shows nothing in common', () => {
  expect(seal(key, 'x', 'p').equals(seal(key, 'x', 'p'))).toBe(false)
})

test('the first secret of a list is the one in use; ids tell secrets apart and give nothing away', () => {
  const secrets = parseSecrets(' new , old ')
  expect(secrets.map((secret) => secret.value)).toEqual(['new', 'old'])
  expect(new Set(secrets.map((secret) => secret.id)).size).toBe(2)
  expect(parseSecrets('')).toEqual([])
})

test('tokens have 256 bits and are stored as a hash', () => {
  const token = newToken()
  expect(Buffer.from(token, 'base64url')).toHaveLength(32)
  expect(hashOf(token).toString('base64url')).not.toBe(token)
})
