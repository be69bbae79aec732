#!/usr/bin/python3
"""Pictures as Pillow decodes them, and transforms as Pillow and torchvision do them.

  pictures_test.py PROBE DATA   DATA: a folder of real pictures, whose tests are skipped where it is missing
"""
import io
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

try:
    import numpy
    from PIL import Image, ImageChops, ImageEnhance, ImageOps
except ImportError:
    print("needs Debian's python3-pil and python3-numpy")
    sys.exit(77)
try:
    import torchvision.transforms.functional as torchvision
except ImportError:
    torchvision = None

PROBE, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
REAL = ["images", "cats_dogs", "chest_xray_317", "imagenet_samples"]


def run(jobs):
    """Answers of the probe, one a job (FILE, TRANSFORM, numbers...): an array [channels][height][width] or a text."""
    text = "".join("\t".join([str(job[0]), *map(str, job[1:] or [""])]) + "\n" for job in jobs)
    done = subprocess.run([PROBE], input=text.encode(), stdout=subprocess.PIPE, check=True)
    stream, answers = io.BytesIO(done.stdout), []
    for _ in jobs:
        words = stream.readline().split()
        if words[0] == b"error":
            answers.append(stream.read(int(words[1])).decode())
            continue
        shape = tuple(map(int, words))
        answers.append(numpy.frombuffer(stream.read(math.prod(shape)), numpy.uint8).reshape(shape))
    assert stream.read() == b"", "the probe said more than was asked"
    return answers


def planes(picture):
    array = numpy.asarray(picture)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def upright(path):
    """What a decoded file should be: Pillow's own reading, upright, gray where the file is gray."""
    picture = ImageOps.exif_transpose(Image.open(path))
    return planes(picture if picture.mode == "L" else picture.convert("L" if picture.mode in ("1", "LA") else "RGB"))


def noise(mode, size, seed=1):
    """Something with edges, gradients and noise."""
    generator = numpy.random.default_rng(seed)
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    height, width = size[1], size[0]
    y, x = numpy.mgrid[:height, :width]
    layers = []
    for channel in range(channels):
        layer = 128 + 80 * numpy.sin(x / (3 + channel) + y / 7) + generator.integers(-40, 40, (height, width))
        layers.append(layer.clip(0, 255).astype(numpy.uint8))
    array = layers[0] if channels == 1 else numpy.stack(layers, axis=2)
    return Image.fromarray(array, mode)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# Adam7: first column and row, and the distance to the next, of each pass.
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def raw_png(array, color, depth, interlaced=False, extra=b"", late=b""):
    """A PNG of 8 or 16 bits made by hand; Pillow writes neither interlaced ones nor 16 bits of colour."""
    array = array if array.ndim == 3 else array[:, :, None]
    kind = ">u2" if depth == 16 else "u1"
    data = b""
    for left, top, right, down in PASSES if interlaced else [(0, 0, 1, 1)]:
        part = array[top::down, left::right]
        if part.shape[1]:
            data += b"".join(b"\0" + row.astype(kind).tobytes() for row in part)
    header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], depth, color, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(data)) + late
            + chunk(b"IEND", b""))


def tiff(orientation, order="<"):
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


class Pictures(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.addCleanup(self.temporary.cleanup)

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def save(self, name, picture, **options):
        path = self.folder / name
        picture.save(path, **options)
        return path

    def expect_same(self, paths, jobs=None, expected=None):
        answers = run(jobs or [(path,) for path in paths])
        for place, (path, found) in enumerate(zip(paths, answers)):
            with self.subTest(picture=path.name):
                wanted = expected[place] if expected else upright(path)
                self.assertNotIsInstance(found, str, found)
                self.assertEqual(found.shape, wanted.shape)
                self.assertTrue((found == wanted).all(), f"{(found != wanted).sum()} of {found.size} bytes differ")


class Decoding(Pictures):
    SIZES = [(1, 1), (3, 7), (16, 16), (33, 20), (65, 129)]

    def test_jpeg_modes(self):
        paths = []
        for size in self.SIZES:
            for mode in ("L", "RGB", "CMYK"):
                for number, options in enumerate(({"quality": 90}, {"quality": 40, "progressive": True},
                                                  {"quality": 95, "subsampling": 0}, {"quality": 75, "optimize": True})):
                    name = f"{mode}_{size[0]}_{size[1]}_{number}.jpg"
                    paths.append(self.save(name, noise(mode, size), **options))
        self.expect_same(paths)

    def test_png_modes(self):
        paths = []
        for size in self.SIZES:
            for mode in ("L", "LA", "RGB", "RGBA"):
                paths.append(self.save(f"{mode}_{size[0]}_{size[1]}.png", noise(mode, size)))
            paths.append(self.save(f"1_{size[0]}.png", noise("L", size).convert("1")))
            for bits in (1, 2, 4, 8):
                palette = noise("RGB", size).quantize(2 ** bits)
                paths.append(self.save(f"P{bits}_{size[0]}.png", palette, bits=bits))
                paths.append(self.save(f"Pt{bits}_{size[0]}.png", palette, bits=bits, transparency=0))
        self.expect_same(paths)

    def test_alpha_is_dropped(self):
        picture = noise("RGBA", (9, 5))
        path = self.save("alpha.png", picture)
        self.expect_same([path], expected=[planes(picture)[:3]])

    def test_sixteen_bits_keep_the_upper_eight(self):
        generator = numpy.random.default_rng(2)
        paths, expected = [], []
        for color, channels in ((0, 1), (4, 2), (2, 3), (6, 4)):
            for interlaced in (False, True):
                array = generator.integers(0, 65536, (13, 11, channels), dtype=numpy.uint16)
                paths.append(self.write(f"{color}{interlaced}.png", raw_png(array, color, 16, interlaced)))
                kept = array[:, :, : 1 if channels < 3 else 3] >> 8
                expected.append(kept.astype(numpy.uint8).transpose(2, 0, 1))
        self.expect_same(paths, expected=expected)

    def test_interlaced(self):
        paths = []
        for size in self.SIZES:
            for mode, color in (("L", 0), ("RGB", 2), ("LA", 4), ("RGBA", 6)):
                data = raw_png(numpy.asarray(noise(mode, size)), color, 8, interlaced=True)
                paths.append(self.write(f"{mode}_{size[0]}.png", data))
        self.expect_same(paths)

    def test_orientation(self):
        paths = []
        for orientation in range(0, 10):
            exif = Image.Exif()
            exif[0x0112] = orientation
            for mode in ("L", "RGB"):
                paths.append(self.save(f"{mode}{orientation}.jpg", noise(mode, (21, 10)), exif=exif))
                paths.append(self.save(f"{mode}{orientation}.png", noise(mode, (21, 10)), exif=exif))
        self.expect_same(paths)

    def test_orientation_of_both_byte_orders_and_behind_the_pixels(self):
        array = numpy.asarray(noise("RGB", (6, 4)))
        turned = numpy.rot90(array, -1).transpose(2, 0, 1)
        paths = [self.write("little.png", raw_png(array, 2, 8, extra=chunk(b"eXIf", tiff(6)))),
                 self.write("big.png", raw_png(array, 2, 8, extra=chunk(b"eXIf", tiff(6, ">")))),
                 self.write("late.png", raw_png(array, 2, 8, late=chunk(b"eXIf", tiff(6))))]
        self.expect_same(paths, expected=[turned] * 3)

    def test_damaged_exif_says_nothing(self):
        array = numpy.asarray(noise("RGB", (6, 4)))
        blocks = [tiff(6)[:n] for n in (9, 12, 15)] + [b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", tiff(0), tiff(9)]
        paths = [self.write(f"{n}.png", raw_png(array, 2, 8, extra=chunk(b"eXIf", block))) for n, block in enumerate(blocks)]
        self.expect_same(paths, expected=[array.transpose(2, 0, 1)] * len(paths))

    def test_content_decides_and_not_the_name(self):
        picture = noise("RGB", (8, 8))
        jpeg, png = self.folder / "a.png", self.folder / "b.jpg"
        picture.save(jpeg, format="JPEG")
        picture.save(png, format="PNG")
        self.expect_same([jpeg, png])

    def test_other_formats_are_named(self):
        picture = noise("RGB", (8, 8))
        for kind, word in (("GIF", "a GIF picture"), ("BMP", "a BMP picture"), ("TIFF", "a TIFF picture"), ("WEBP", "a WebP picture")):
            path = self.folder / f"{kind}.jpg"
            try:
                picture.save(path, format=kind)
            except (KeyError, OSError):
                continue  # this Pillow can't write it
            self.assertEqual(run([(path,)]), [f"{path}: is {word}; JPEG and PNG pictures can be read"])

    def test_real_pictures(self):
        paths = [path for name in REAL for path in sorted((DATA / name).rglob("*"))
                 if path.suffix.lower() in (".jpg", ".jpeg", ".png")]
        if not paths:
            self.skipTest(f"no pictures below {DATA}")
        random.Random(1).shuffle(paths)
        self.expect_same(paths[:150])


class Transforms(Pictures):
    SIZES = [(1, 1), (2, 3), (13, 7), (31, 32), (64, 47)]

    def expect(self, name, numbers_of, make, modes=("L", "RGB"), sizes=SIZES):
        """`make(picture, *numbers)` is what the transform should be; exact."""
        paths, jobs, expected = [], [], []
        for mode in modes:
            for size in sizes:
                picture = noise(mode, size)
                path = self.save(f"{mode}_{size[0]}_{size[1]}.png", picture)
                for numbers in numbers_of(*size):
                    paths.append(path)
                    jobs.append((path, name, *numbers))
                    expected.append(planes(make(picture, *numbers)))
        self.expect_same(paths, jobs, expected)

    def test_resize(self):
        self.expect("resize", lambda w, h: [(1, 1), (h, w), (2 * h, 3 * w), (5, 40), (17, 3)],
                    lambda picture, h, w: picture.resize((w, h), Image.BILINEAR))

    @unittest.skipIf(torchvision is None, "needs torchvision")
    def test_short(self):
        self.expect("short", lambda w, h: [(1,), (7,), (min(w, h),), (50,)],
                    lambda picture, n: torchvision.resize(picture, n, torchvision.InterpolationMode.BILINEAR))

    @unittest.skipIf(torchvision is None, "needs torchvision")
    def test_center_crop(self):
        crops = lambda w, h: [(h, w), (1, 1), ((h + 1) // 2, w), (h, max(w - 1, 1)), (max(h - 3, 1), max(w - 5, 1))]
        self.expect("center_crop", crops, lambda picture, h, w: torchvision.center_crop(picture, [h, w]))

    def test_pad(self):
        self.expect("pad", lambda w, h: [(0,), (1,), (9,)], lambda picture, n: ImageOps.expand(picture, n, 0))

    def test_parts_beyond_the_edges(self):
        places = lambda w, h: [(0, 0, h, w), (-2, -3, h, w), (2, 1, h, w), (-1, 4, 5, 6), (100, 0, 2, 2)]
        self.expect("cut_out", places, lambda picture, top, left, h, w: picture.crop((left, top, left + w, top + h)))

    def test_gray_and_rgb(self):
        self.expect("grayscale", lambda w, h: [()], lambda picture: picture.convert("L"))
        self.expect("rgb", lambda w, h: [()], lambda picture: picture.convert("RGB"))

    def test_flips(self):
        self.expect("hflip", lambda w, h: [()], ImageOps.mirror)
        self.expect("vflip", lambda w, h: [()], ImageOps.flip)

    def test_rotate(self):
        self.expect("rotate", lambda w, h: [(a,) for a in (0, 10.3, -15, 44.9, 90, 137.7, 180, -179.5)],
                    lambda picture, angle: picture.rotate(angle, Image.BILINEAR))

    def test_zoom(self):
        def zoomed(picture, factor):
            x, y = picture.width / 2, picture.height / 2
            matrix = (1 / factor, 0, x - x / factor, 0, 1 / factor, y - y / factor)
            return picture.transform(picture.size, Image.AFFINE, matrix, Image.BILINEAR)
        self.expect("zoom", lambda w, h: [(f,) for f in (1, 0.8, 1.2, 0.5, 1.99, 0.01)], zoomed)

    def test_brightness_and_contrast(self):
        factors = lambda w, h: [(f,) for f in (0.0, 0.1, 0.37, 0.5, 0.999, 1.0, 1.3, 2.0)]
        self.expect("brightness", factors, lambda picture, f: ImageEnhance.Brightness(picture).enhance(f))
        self.expect("contrast", factors, lambda picture, f: ImageEnhance.Contrast(picture).enhance(f))

    @unittest.skipIf(torchvision is None, "needs torchvision")
    def test_shift_as_torchvision_translates(self):
        def moved(picture, dy, dx):
            return torchvision.affine(picture, 0, [dx, dy], 1, [0, 0])
        paths, jobs, expected = [], [], []
        for mode in ("L", "RGB"):
            for w, h in self.SIZES:
                picture = noise(mode, (w, h))
                path = self.save(f"{mode}{w}.png", picture)
                for dy, dx in ((0, 0), (1, 2), (-3, 1), (2, -5)):
                    paths.append(path)
                    jobs.append((path, "cut_out", -dy, -dx, h, w))
                    expected.append(planes(moved(picture, dy, dx)))
        self.expect_same(paths, jobs, expected)

    def test_what_ImageNet_networks_see(self):
        if torchvision is None:
            self.skipTest("needs torchvision")
        paths = sorted((DATA / "imagenet_samples").glob("*"))[:30]
        if not paths:
            self.skipTest(f"no pictures below {DATA}")
        expected = [planes(torchvision.resize(Image.open(path).convert("RGB"), 256)) for path in paths]
        self.expect_same(paths, [(path, "short", 256) for path in paths], expected)


class Refusals(Pictures):
    def test_crops_of_small_images(self):
        path = self.save("small.png", noise("RGB", (10, 5)))
        self.assertEqual(run([(path, "center_crop", 6, 6)]),
                         ["center_crop takes 6x6 out of an image of 5x10; a resize before it makes room"])

    def test_a_narrow_picture_does_not_take_all_memory(self):
        path = self.save("narrow.png", noise("L", (30000, 1)))
        self.assertEqual(run([(path, "short", 256)]),
                         ["an image of 1x30000 would become 256x7680000, and 100 million pixels are the most"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
