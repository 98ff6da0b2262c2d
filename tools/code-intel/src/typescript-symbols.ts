import { relative } from 'node:path';
import {
  type ClassDeclaration,
  type InterfaceDeclaration,
  type JSDocableNode,
  Node,
  Project,
  type SourceFile,
} from 'ts-morph';
import type { CodeSymbol, SymbolKind } from './code-symbol.ts';

/** Calls and constants that define the protocol, and what their members are. */
const schemas: readonly (readonly [RegExp, SymbolKind])[] = [
  [/^z\s*\.(?:loose|strict)?[oO]bject$/, 'field'],
  [/^defineSettings$/, 'setting'],
];
const catalogues: Readonly<Record<string, SymbolKind>> = { metricCatalogue: 'metric' };
const longestSignature = 300;

/** Symbols of TypeScript files. */
export function typescriptSymbols(root: string, files: readonly string[]): readonly CodeSymbol[] {
  const project = new Project({ skipAddingFilesFromTsConfig: true, skipFileDependencyResolution: true });
  return files.flatMap((file) => symbolsOf(relative(root, file), project.addSourceFileAtPath(file)));
}

function symbolsOf(file: string, source: SourceFile): readonly CodeSymbol[] {
  const symbols: CodeSymbol[] = [];
  const add = (node: Node, name: string, kind: SymbolKind, more: Partial<CodeSymbol> = {}): void => {
    symbols.push({
      name,
      kind,
      file,
      line: node.getStartLineNumber(),
      signature: signatureOf(node),
      doc: docOf(node),
      decorators: Node.isDecoratable(node) ? node.getDecorators().map((one) => one.getName()) : [],
      isExported: Node.isExportable(node) && node.isExported(),
      ...more,
    });
  };
  for (const node of source.getStatements()) {
    if (Node.isClassDeclaration(node)) addMembers(node, 'class', add);
    else if (Node.isInterfaceDeclaration(node)) addMembers(node, 'interface', add);
    else if (Node.isTypeAliasDeclaration(node)) add(node, node.getName(), 'type');
    else if (Node.isEnumDeclaration(node)) add(node, node.getName(), 'enum');
    else if (Node.isFunctionDeclaration(node)) add(node, node.getName() ?? 'default', 'function');
    else if (Node.isVariableStatement(node)) {
      for (const declaration of node.getDeclarations())
        add(declaration, declaration.getName(), 'variable', {
          doc: docOf(node),
          isExported: node.isExported(),
          signature: `const ${signatureOf(declaration)}`,
        });
    }
  }
  addProtocol(source, add);
  return symbols;
}

type Add = (node: Node, name: string, kind: SymbolKind, more?: Partial<CodeSymbol>) => void;

function addMembers(
  node: ClassDeclaration | InterfaceDeclaration,
  kind: 'class' | 'interface',
  add: Add,
): void {
  const parent = node.getName() ?? 'default';
  add(node, parent, kind);
  for (const member of node.getMembers()) {
    if (Node.isConstructorDeclaration(member)) add(member, 'constructor', 'method', { parent });
    else if (Node.isMethodDeclaration(member) || Node.isMethodSignature(member))
      add(member, member.getName(), 'method', { parent });
    else if (
      Node.isPropertyDeclaration(member) ||
      Node.isPropertySignature(member) ||
      Node.isGetAccessorDeclaration(member) ||
      Node.isSetAccessorDeclaration(member)
    )
      add(member, member.getName(), 'property', { parent });
  }
}

/** Members of schemas and catalogues. */
function addProtocol(source: SourceFile, add: Add): void {
  source.forEachDescendant((node) => {
    if (!Node.isObjectLiteralExpression(node)) return;
    const holder = node.getFirstAncestor(
      (above) => Node.isVariableDeclaration(above) || Node.isFunctionDeclaration(above),
    );
    if (holder === undefined) return;
    const parent = (holder as { getName(): string | undefined }).getName() ?? 'default';
    const call = node.getParent();
    const called = Node.isCallExpression(call) ? call.getExpression().getText() : undefined;
    const kind =
      called === undefined
        ? isValueOf(node, holder)
          ? catalogues[parent]
          : undefined
        : schemas.find(([name]) => name.test(called.replaceAll(/\s/g, '')))?.[1];
    if (kind === undefined) return;
    for (const member of node.getProperties())
      if (Node.isPropertyAssignment(member))
        add(member, member.getName().replaceAll(/^['"]|['"]$/g, ''), kind, { parent });
  });
}

/** Whether an object is what a constant is, whatever is said of its type. */
function isValueOf(node: Node, holder: Node): boolean {
  let above = node.getParent();
  while (above !== undefined && (Node.isAsExpression(above) || Node.isSatisfiesExpression(above)))
    above = above.getParent();
  return above === holder;
}

function signatureOf(node: Node): string {
  const body =
    Node.isBodied(node) || Node.isBodyable(node)
      ? node.getBody()
      : Node.isClassDeclaration(node) || Node.isInterfaceDeclaration(node)
        ? node.getMembers()[0]
        : undefined;
  const text =
    body === undefined ? node.getText() : node.getText().slice(0, body.getStart() - node.getStart());
  const line = text
    .replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
    .replaceAll(/\s+/g, ' ')
    .replace(/\s*\{\s*$/, '')
    .trim();
  return line.length > longestSignature ? `${line.slice(0, longestSignature)}…` : line;
}

function docOf(node: Node): string | undefined {
  if (!Node.isJSDocable(node)) return undefined;
  const text = (node as JSDocableNode).getJsDocs().at(-1)?.getDescription().trim();
  return text?.split(/\n\s*\n/, 1)[0]?.replaceAll(/\s+/g, ' ') || undefined;
}
