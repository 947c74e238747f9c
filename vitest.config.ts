import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{packages,services,bff,proto}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/gen/**'],
    globalSetup: ['packages/testkit/src/global-setup.ts'],
    // The stores are shared and the machine may be small: a few files at a time, each in a process of its own.
    pool: 'forks',
    maxWorkers: 2,
    // A test that passes only at the second try is reported as such; on a developer's machine it fails.
    retry: process.env.CI ? 2 : 0,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ['default', './packages/testkit/src/closing-line.ts'],
  },
})
