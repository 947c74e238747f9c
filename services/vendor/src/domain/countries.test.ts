import { expect, test } from 'vitest'
import { countryCount, countryKnown } from './countries.ts'

test('the 249 assigned codes are known, and reserved or invented ones are not', () => {
  expect(countryCount).toBe(249)
  for (const code of ['BD', 'US', 'AX', 'SS']) expect(countryKnown(code)).toBe(true)
  for (const code of ['UK', 'EU', 'XK', 'ZZ', 'bd']) expect(countryKnown(code)).toBe(false)
})
