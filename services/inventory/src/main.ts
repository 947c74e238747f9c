import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startInventory } from './service.ts'

await run('inventory', loadConfig, startInventory)
