// Imports point one way: bff and services → packages and proto, packages → packages and proto; never service → service.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const root = new URL('..', import.meta.url).pathname
const groups = ['proto', 'packages', 'services', 'bff'].filter((group) => existsSync(join(root, group)))
const packageOf = new Map()
for (const group of groups.filter((name) => name !== 'proto'))
  for (const entry of readdirSync(join(root, group), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    const { name } = JSON.parse(readFileSync(join(root, group, entry.name, 'package.json'), 'utf8'))
    packageOf.set(name, { group, folder: entry.name })
  }
packageOf.set('@haat/proto', { group: 'proto', folder: '' })

const allowed = {
  proto: ['proto'],
  packages: ['packages', 'proto'],
  services: ['packages', 'proto'],
  bff: ['packages', 'proto'],
}
// Devnet runs everything in one process, and the client is generated from the BFFs: these two alone import them.
const assemblers = new Set(['devnet', 'client'])

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (['node_modules', 'gen', 'dist'].includes(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* sources(path)
    else if (/\.tsx?$/.test(entry.name)) yield path
  }
}

const faults = []
for (const group of groups)
  for (const path of sources(join(root, group))) {
    const file = relative(root, path)
    const folder = file.split('/')[1]
    for (const [, specifier] of readFileSync(path, 'utf8').matchAll(/(?:from|import\(?)\s*'([^']+)'/g)) {
      if (specifier.startsWith('.')) {
        const target = relative(root, join(path, '..', specifier)).split('/')
        if (target[0] !== group || (group !== 'proto' && target[1] !== folder))
          faults.push(`${file}: ${specifier} leaves its package`)
        continue
      }
      if (!specifier.startsWith('@haat/')) continue
      const target = packageOf.get(specifier.split('/').slice(0, 2).join('/'))
      if (!target) faults.push(`${file}: ${specifier} is no package of this repository`)
      else if (group === 'packages' && assemblers.has(folder)) continue
      else if (target.folder === 'devnet' && target.group === 'packages') faults.push(`${file}: nothing imports devnet`)
      else if (!allowed[group].includes(target.group) && !(target.group === group && target.folder === folder))
        faults.push(`${file}: ${group} may not import ${specifier}`)
    }
  }
if (faults.length) {
  console.error(faults.join('\n'))
  process.exit(1)
}
