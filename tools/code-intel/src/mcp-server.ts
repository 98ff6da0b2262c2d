import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import * as z from 'zod';
import type { SymbolIndex } from './symbol-index.ts';

const decorator = z
  .string()
  .min(1)
  .describe('Name of the decorator, such as staticmethod or @contextmanager');

/** Answers questions about the repository's symbols. */
export function mcpServer(index: SymbolIndex): McpServer {
  const server = new McpServer({ name: 'flash-code-intel', version: '0.1.0' });
  const tool = <S extends z.ZodRawShape>(
    name: string,
    description: string,
    inputSchema: S,
    answer: (given: z.infer<z.ZodObject<S>>) => readonly object[],
  ): void => {
    server.registerTool(
      name,
      { description, inputSchema } as never,
      ((given: z.infer<z.ZodObject<S>>) => {
        const symbols = answer(given);
        const text =
          symbols.length === 0 ? 'nothing of that kind is in the index' : JSON.stringify(symbols, null, 1);
        return { content: [{ type: 'text', text }] };
      }) as never,
    );
  };
  tool(
    'find_symbol',
    'Where something with this name, or with it in its name, is defined: at most 50, the exact ones first. Kinds beside those of the languages: field (of a wire form), setting, metric.',
    { name: z.string().min(1), kind: z.string().optional().describe('Only of this kind') },
    ({ name, kind }) => index.find(name, kind),
  );
  tool(
    'list_classes',
    'The classes below a directory.',
    { directory: z.string().default('').describe('From the root of the repository; empty: everywhere') },
    ({ directory }) => index.classes(directory),
  );
  tool(
    'get_class_interface',
    'A class or an interface with the signatures of what is not private in it.',
    { name: z.string().min(1) },
    ({ name }) => index.interfaceOf(name),
  );
  tool(
    'list_file_symbols',
    'All that a file defines, in its order.',
    { file: z.string().min(1).describe('From the root of the repository') },
    ({ file }) => index.ofFile(file),
  );
  tool('find_by_decorator', 'What is decorated so.', { decorator }, (given) =>
    index.decoratedWith(given.decorator),
  );
  return server;
}
