import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startStorefront } from './start.ts'

await run('bff-storefront', loadConfig, startStorefront)
