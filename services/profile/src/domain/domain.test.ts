import { getCountries } from 'libphonenumber-js'
import { expect, test } from 'vitest'
import { isBirthDate } from './birth.ts'
import { countries } from './countries.ts'
import { isPhone } from './phone.ts'

test('the countries are the 249 of ISO 3166-1', () => {
  expect(countries.size).toBe(249)
  // Every country with telephones, but for the codes that telephony uses and ISO does not assign.
  expect(
    getCountries()
      .filter((code) => !countries.has(code))
      .sort(),
  ).toEqual(['AC', 'TA', 'XK'])
  for (const code of ['XX', 'EU', 'UK', 'bd', '']) expect(countries.has(code)).toBe(false)
})

test('a birth date is a day of the calendar between 1900 and today', () => {
  const now = new Date('2024-03-01T12:00:00Z')
  for (const day of ['1900-01-01', '2000-02-29', '2024-03-01']) expect(isBirthDate(day, now)).toBe(true)
  for (const day of ['1899-12-31', '2023-02-29', '2024-03-02', '1990-13-01', '1990-00-10', '90-01-01', ''])
    expect(isBirthDate(day, now)).toBe(false)
})

test('a phone number has a country and a length that country uses', () => {
  for (const phone of ['+8801712345678', '+442071838750', '+12025550123']) expect(isPhone(phone)).toBe(true)
  for (const phone of ['+88017', '+9991234567', '01712345678', '']) expect(isPhone(phone)).toBe(false)
})
