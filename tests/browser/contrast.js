// The texts of the page whose contrast is below 4.5:1 (WCAG 2.2, 1.4.3), each with its ratio.
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = rgba(getComputedStyle(one).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.checkVisibility() && !one.disabled && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
    .map((one) => {
      const [light, dark] = [luminance(rgba(getComputedStyle(one).color)), luminance(ground(one))].sort((a, b) => b - a);
      return [(light + 0.05) / (dark + 0.05), one.tagName + " " + one.textContent.trim().slice(0, 40)];
    })
    .filter(([ratio]) => ratio < 4.5)
    .map(([ratio, what]) => `${ratio.toFixed(1)} ${what}`);
})()
