import { expect, test } from 'vitest'
import { createFieldCipher, parseKeys } from './field-cipher.ts'

const [v1, v2] = [`v1:${'11'.repeat(32)}`, `v2:${'22'.repeat(32)}`]
const place = { table: 'vendor_bank_accounts', column: 'iban', rowId: 'a' }
const plain = Buffer.from('DE89370400440532013000')

test('what was encrypted under an older key still opens after a rotation, and new values take the newest', () => {
  const old = createFieldCipher(parseKeys(v1)).seal(place, plain)
  const rotated = createFieldCipher(parseKeys(`${v2}, ${v1}`))
  expect(rotated.open(place, old)).toEqual(plain)
  expect(rotated.seal(place, plain).keyVersion).toBe('v2')
})

test('a value does not open in another row, column or table, under another version, or after a change', () => {
  const cipher = createFieldCipher(parseKeys(`${v2},${v1}`))
  const sealed = cipher.seal(place, plain)
  expect(sealed.bytes.includes(plain)).toBe(false)
  for (const other of [{ rowId: 'b' }, { column: 'account_no' }, { table: 'x' }])
    expect(() => cipher.open({ ...place, ...other }, sealed)).toThrow()
  expect(() => cipher.open(place, { ...sealed, keyVersion: 'v1' })).toThrow()
  expect(() => cipher.open(place, { ...sealed, keyVersion: 'v9' })).toThrow('no key v9')
  for (const at of [0, 12, 28, sealed.bytes.length - 1]) {
    const bytes = Buffer.from(sealed.bytes)
    bytes[at]! ^= 1
    expect(() => cipher.open(place, { ...sealed, bytes })).toThrow()
  }
})

test('the same value never looks the same twice', () => {
  const cipher = createFieldCipher(parseKeys(v1))
  const seen = new Set(Array.from({ length: 200 }, () => cipher.seal(place, plain).bytes.toString('hex')))
  expect(seen.size).toBe(200)
})

test('keys that are short, malformed or named twice are refused without being repeated', () => {
  for (const list of ['', 'v1', 'v1:abcd', `v1:${'zz'.repeat(32)}`, `${v1},${v1}`, `${v1},`])
    expect(() => parseKeys(list)).toThrow(/^(must be|names a version twice)/)
})
