import { expect, test } from 'vitest'
import { missedRules, parsePolicy } from './password-policy.ts'

const person = { email: 'rahima.khatun@example.com', name: 'Rahima Khatun' }

test('a password names every rule it misses', () => {
  const policy = parsePolicy('length:12, upper, lower, digit, symbol, common, personal')
  expect(missedRules(policy, 'aaaa', person)).toEqual(['length:12', 'upper', 'digit', 'symbol', 'common'])
  expect(missedRules(policy, 'Monsoon-Rickshaw-47', person)).toEqual([])
})

test('length counts characters, not bytes', () => {
  const policy = parsePolicy('length:12')
  expect(missedRules(policy, 'রিকশাচালক', person)).toEqual(['length:12'])
  expect(missedRules(policy, '🌧'.repeat(12), person)).toEqual([])
})

test.each([
  'password1234',
  'P@ssw0rd!!!!',
  '123456789012',
  '210987654321',
  'qwertyuiopas',
  'abababababab',
  '1234admin5678',
  'Letmein!2024!',
])('%s is a common password', (password) => {
  expect(missedRules(parsePolicy('common'), password, person)).toEqual(['common'])
})

test.each(['monsoon rickshaw', 'tea-garden-4-sylhet', 'x7#kfP2!qLm9'])('%s is not', (password) => {
  expect(missedRules(parsePolicy('common'), password, person)).toEqual([])
})

test('the own name or address is no password', () => {
  const policy = parsePolicy('personal')
  expect(missedRules(policy, 'I-am-KHATUN-2024', person)).toEqual(['personal'])
  expect(missedRules(policy, 'rahima.khatun!x', person)).toEqual(['personal'])
  expect(missedRules(policy, 'I-am-Al-2024', { email: 'al@example.com', name: 'Al B' })).toEqual([])
})

test('a policy with a rule that does not exist is refused', () => {
  expect(() => parsePolicy('length:12,unguessable')).toThrow('unguessable')
  expect(() => parsePolicy('length:4')).toThrow('length')
  expect(() => parsePolicy('toString')).toThrow('toString')
})
