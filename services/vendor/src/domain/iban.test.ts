import { expect, test } from 'vitest'
import { ibanValid } from './iban.ts'

const good = ['DE89370400440532013000', 'GB29NWBK60161331926819', 'NO9386011117947', 'MT84MALT011000012345MTLCAST001S']

test('real IBANs pass', () => {
  for (const iban of good) expect(ibanValid(iban)).toBe(true)
})

test('one wrong digit or two swapped neighbours are found', () => {
  for (const iban of good)
    for (let i = 4; i < iban.length; i++) {
      const digit = iban[i]!
      if (!/[0-9]/.test(digit)) continue
      expect(ibanValid(`${iban.slice(0, i)}${(Number(digit) + 1) % 10}${iban.slice(i + 1)}`)).toBe(false)
      const next = iban[i + 1]
      if (next && /[0-9]/.test(next) && next !== digit)
        expect(ibanValid(`${iban.slice(0, i)}${next}${digit}${iban.slice(i + 2)}`)).toBe(false)
    }
})
