import { expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'

const env = { POSTGRES_URL: 'postgres://x', RABBITMQ_URL: 'amqp://x', EVENT_SECRET: 'x'.repeat(32) }

test('keys with a mistake stop the start, named by path and without their values', () => {
  const bad = JSON.stringify({
    easypost: { apiKey: 'top-secret-key', webhookSecrets: ['short'], from: {} },
    pigeon: {},
  })
  const load = () => loadConfig({ ...env, CARRIER_KEYS_JSON: bad })
  expect(load).toThrow('easypost.webhookSecrets.0')
  expect(load).toThrow('easypost.from.name')
  expect(load).not.toThrow('top-secret-key')
  expect(() => loadConfig({ ...env, CARRIER_KEYS_JSON: '{' })).toThrow('is not JSON')
})

test('without carrier keys only the built-in carrier is there', () => {
  expect(loadConfig(env)).toMatchObject({ CARRIER_KEYS_JSON: {}, DEFAULT_ORIGIN: 'BD', SIMULATE_SCANS: false })
})
