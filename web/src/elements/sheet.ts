const sheets = new Map<string, CSSStyleSheet>();

/** Gives a shadow root its styles, as constructed sheets: those need no `style-src 'unsafe-inline'`, and are shared. */
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
