// What the tests ask of a page of JupyterLab. This file runs in the browser; `jupyterapp` is JupyterLab itself.
(() => {
  const notebook = () => jupyterapp.shell.currentWidget;
  const codeCells = () => notebook().content.widgets.filter(({ model }) => model.type === "code");
  const cellOf = (id) => codeCells().find(({ model }) => model.id === id);
  const drawings = (node) => [...node.querySelectorAll(".vega-embed svg.marks")];

  /** Returns the number of marks that show data, by kind. A line is one path, however many points it has. */
  const countMarks = (svg) => {
    const counts = {};
    for (const group of svg.querySelectorAll("g.role-mark:not(.mark-group)")) {
      const kind = /mark-(\w+)/.exec(group.getAttribute("class"))[1];
      counts[kind] = (counts[kind] ?? 0) + group.childElementCount;
    }
    return counts;
  };

  /** Whether part of a drawing is neither seen nor reached by scrolling. */
  const isCutOff = (svg) => {
    const place = svg.closest(".jp-OutputArea-output");
    const isScrolled = ["auto", "scroll"].includes(getComputedStyle(place).overflowX);
    return !isScrolled && svg.getBoundingClientRect().right > place.getBoundingClientRect().right;
  };

  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [red, green, blue] = channels(color).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (first, second) => {
    const [darker, lighter] = [luminance(first), luminance(second)].sort((a, b) => a - b);
    return (lighter + 0.05) / (darker + 0.05);
  };
  /** Returns the ground that a node is seen on. */
  const groundOf = (node) => {
    const { backgroundColor } = getComputedStyle(node);
    const alpha = channels(backgroundColor)[3] ?? 1;
    return alpha === 0 && node.parentElement ? groundOf(node.parentElement) : backgroundColor;
  };

  globalThis.lab = {
    run: (command, args) => jupyterapp.commands.execute(command, args),
    isReady: () => notebook()?.sessionContext?.session?.kernel?.status === "idle",
    /** Returns what the notebook in front shows. */
    state: () => ({
      status: notebook().sessionContext.session?.kernel?.status ?? "none",
      cells: codeCells().map(({ model }) => ({
        id: model.id,
        executionCount: model.executionCount,
        outputs: model.sharedModel.getOutputs(),
      })),
    }),
    /** Returns each drawn chart of a cell: its marks, its texts, and whether part of it is out of reach. */
    charts: (id) =>
      drawings(cellOf(id).node).map((svg) => ({
        marks: countMarks(svg),
        paths: [...svg.querySelectorAll("g.mark-line path")].map((path) => path.getAttribute("d")),
        title: svg.querySelector("g.role-title-text text")?.textContent ?? "",
        texts: [...svg.querySelectorAll("text")].map(({ textContent }) => textContent),
        isCutOff: isCutOff(svg),
      })),
    /** Returns the lowest contrast of the texts around the charts of a notebook with what is behind them. */
    lowestContrast: () => {
      const roles = ["axis-label", "axis-title", "title-text", "title-subtitle", "legend-label"];
      const texts = roles.flatMap((role) => [
        ...document.querySelectorAll(`.jp-Notebook .vega-embed g.role-${role} text`),
      ]);
      return Math.min(...texts.map((text) => contrast(getComputedStyle(text).fill, groundOf(text))));
    },
    /** Returns where the last of the cells that are in view ends. */
    end: () => {
      const cells = [...document.querySelectorAll(".jp-Notebook .jp-Cell")];
      return Math.ceil(Math.max(...cells.map((cell) => cell.getBoundingClientRect().bottom)));
    },
    scrollToTop: () => {
      document.querySelector(".jp-WindowedPanel-outer").scrollTop = 0;
    },
    /** Returns where a cell's code and outputs are on the page. */
    placeOf: (id) => {
      const parts = [...cellOf(id).node.querySelectorAll(".jp-Cell-inputArea, .jp-Cell-outputArea")];
      const boxes = parts.map((part) => part.getBoundingClientRect());
      const x = Math.min(...boxes.map(({ left }) => left));
      const y = Math.min(...boxes.map(({ top }) => top));
      const right = Math.max(...boxes.map((box) => box.right));
      return { x, y, width: right - x, height: Math.max(...boxes.map(({ bottom }) => bottom)) - y };
    },
    /** Whether the cell in front takes what is typed. */
    isEditing: () =>
      document.activeElement?.closest(".jp-Notebook .jp-Cell.jp-mod-active .cm-content") != null,
    activeSource: () => notebook().content.activeCell.model.sharedModel.getSource(),
    completions: () =>
      [...document.querySelectorAll(".jp-Completer-item code, .jp-Completer-item .jp-Completer-match")].map(
        ({ textContent }) => textContent,
      ),
    tooltip: () => document.querySelector(".jp-Tooltip")?.textContent ?? "",
    shutDown: () => notebook().sessionContext.shutdown(),
  };
})();
