# Resizes images with Pillow: the peer that Resize must equal bit for bit.
# Reads "FROM_HEIGHT FROM_WIDTH TO_HEIGHT TO_WIDTH" lines and that many bytes each from a file; writes the resized bytes.
import sys

try:
    from PIL import Image
except ImportError:
    sys.exit(77)

with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as target:
    for line in iter(source.readline, b""):
        from_height, from_width, to_height, to_width = map(int, line.split())
        image = Image.frombytes("L", (from_width, from_height), source.read(from_height * from_width))
        target.write(image.resize((to_width, to_height), Image.BILINEAR).tobytes())
