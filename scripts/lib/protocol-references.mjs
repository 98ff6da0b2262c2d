/** The texts of a page's headings. */
export function headingsOf(markdown) {
  return [...markdown.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => heading.trim());
}

/** The anchor that Markdown gives a heading. */
const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');

/**
 * References to the protocol's page that lead nowhere.
 *
 * @param text - a source file or a document. A reference may go on in a comment's next line.
 * @param headings - those that the page has.
 */
export function brokenReferences(text, headings) {
  const anchors = headings.map(anchorOf);
  const line = text.replaceAll(/\n[ \t]*(?:\*(?!\/)|#|\/\/)?[ \t]*/g, ' ');
  const named = [...line.matchAll(/docs\/reference\/protocol\.md, ([^)`:.;"']+)/g)].flatMap(([, list]) =>
    list.split(/, | and /).map((heading) => heading.trim()),
  );
  const linked = [...line.matchAll(/reference\/protocol\.md#([\w-]*)/g)].map(([, anchor]) => anchor);
  return [
    ...named.filter((heading) => !headings.includes(heading)),
    ...linked.filter((anchor) => !anchors.includes(anchor)).map((anchor) => `#${anchor}`),
  ];
}
