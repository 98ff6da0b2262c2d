/** Builds the index (`index`), or serves it over stdio to an MCP client (`serve`), which builds it first when there is none. */
import { existsSync } from 'node:fs';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { buildIndex, indexPath } from './build-index.ts';
import { mcpServer } from './mcp-server.ts';
import { SymbolIndex } from './symbol-index.ts';

const [word] = process.argv.slice(2);
if (word === 'index') {
  const index = buildIndex();
  process.stdout.write(`${index.size} symbols\n`);
  index.close();
} else if (word === 'serve') {
  if (!existsSync(indexPath)) buildIndex().close();
  await mcpServer(SymbolIndex.open(indexPath)).connect(new StdioServerTransport());
} else {
  process.stderr.write('usage: main.ts index | serve\n');
  process.exitCode = 64;
}
