import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startCatalog } from './service.ts'

await run('catalog', loadConfig, startCatalog)
