const sheets = new Map<string, CSSStyleSheet>();

/**
 * Adds styles to a shadow root as shared constructed sheets, which need no `style-src
 * 'unsafe-inline'`.
 */
export function adopt(root: ShadowRoot, ...styles: readonly string[]): void {
  root.adoptedStyleSheets = styles.map((css) => {
    const sheet = sheets.get(css) ?? new CSSStyleSheet();
    if (!sheets.has(css)) {
      sheet.replaceSync(css);
      sheets.set(css, sheet);
    }
    return sheet;
  });
}
