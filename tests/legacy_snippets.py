"""Pipelines as course projects wrote them, and what each means in release 2.0.8."""

from typing import Any

from core.augmentation.spec import StepSpec

SEEDS = {
    "seed_000": """
import torchvision.transforms as transforms

mean, std = (0.49186864, 0.48265335, 0.44717798), (0.24697131, 0.24338901, 0.26159254)
train_transforms = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, std)])
test_transforms = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, std)])
""",
    "seed_001": """
import albumentations as A
from albumentations.pytorch import ToTensorV2

class CIFAR10Dataset(torchvision.datasets.CIFAR10):
    def __getitem__(self, index):
        image, label = self.data[index], self.targets[index]
        return self.transform(image=image)["image"], label

means = [0.4675, 0.4599, 0.4236]
stds = [0.2901, 0.2874, 0.2917]
train_transforms = A.Compose(
    [
        A.HorizontalFlip(),
        A.ShiftScaleRotate(),
        A.CoarseDropout(max_holes=1, max_height=16, max_width=16, min_holes=1, min_height=16,
                        min_width=16, fill_value=(0.4675, 0.4599, 0.4236), mask_fill_value=None),
        A.Normalize(mean=means, std=stds),
        ToTensorV2(),
    ]
)
test_transforms = A.Compose([A.Normalize(mean=means, std=stds), ToTensorV2()])
""",
    "seed_002": """
from torchvision import transforms

transform = transforms.Compose(
    [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))])
""",
    "seed_003": """
import albumentations as albu
from albumentations.pytorch.transforms import ToTensorV2

def train_transform(q=0.44):
    return albu.Compose([
        albu.HorizontalFlip(p=0.49),
        albu.ShiftScaleRotate(shift_limit=0.0625, scale_limit=0.1, rotate_limit=45, p=.45),
        albu.CoarseDropout(max_holes=1, max_height=16, max_width=16, min_holes=1, min_height=16,
                           min_width=16, fill_value=0.4734, p=q),
        albu.Normalize(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        ToTensorV2()])
""",
    "seed_004": """
import albumentations as A
from albumentations.pytorch import ToTensorV2

mu = (0.49139968, 0.48215841, 0.44653091)
sigma = (0.24703223, 0.24348513, 0.26158784)

def get_train_aug_transform(mu, sigma):
    \"\"\"
    Returns:
        Tensor: Normalized image.
    \"\"\"
    train_transform = A.Compose([
                             A.HorizontalFlip(p=0.4),
                             A.ShiftScaleRotate(),
                             A.Normalize(mean=(mu),
                                         std=(sigma)),
                             A.CoarseDropout(max_holes=1,
                                             max_height=16,
                                             max_width=16,
                                             min_holes=1,
                                             min_height=16,
                                             min_width=16,
                                             fill_value=(mu)),
                             A.ToGray(),
                             ToTensorV2(),
])

    return(train_transform)

def get_test_transform(mu, sigma):
    test_transform = A.Compose([A.Normalize(mean=mu, std=sigma), ToTensorV2()])
    return(test_transform)
""",
}


def step(transform: str, probability: float = 0.5, **arguments: Any) -> StepSpec:
    return StepSpec(transform=transform, probability=probability, arguments=tuple(arguments.items()))


def affine(
    shift: float, scale: tuple[float, float], rotate: float, probability: float, **more: Any
) -> StepSpec:
    arguments = {"translate_percent": (-shift, shift), "scale": scale, "rotate": (-rotate, rotate)}
    arguments |= {"shear": (0, 0), "keep_ratio": True, "border_mode": 4, **more}
    return step("Affine", probability, **arguments)


def holes(count: Any, height: Any, width: Any, fill: Any = 0, probability: float = 0.5) -> StepSpec:
    spans = {"num_holes_range": count, "hole_height_range": height, "hole_width_range": width}
    return step("CoarseDropout", probability, fill=fill, **spans)


NORMALIZE = step("Normalize", 1)
PADDED = step("Pad", 1, padding=4, border_mode=4)
CROP = step("RandomCrop", 1, height=32, width=32)

# By release and peculiarity: the code inside of Compose([...]), and the steps that it becomes.
STEPS: dict[str, tuple[str, tuple[StepSpec, ...]]] = {
    "0.4 Cutout with its defaults": ("A.Cutout()", (holes((8, 8), (8, 8), (8, 8)),)),
    "0.4 Cutout": (
        "A.Cutout(num_holes=1, max_h_size=16, max_w_size=12, fill_value=255, p=1)",
        (holes((1, 1), (16, 16), (12, 12), 255, 1.0),),
    ),
    "0.4 RandomBrightness": (
        "A.RandomBrightness(limit=0.3, p=0.4)",
        (step("RandomBrightnessContrast", 0.4, brightness_limit=(-0.3, 0.3), contrast_limit=(0, 0)),),
    ),
    "0.4 RandomContrast": (
        "A.RandomContrast()",
        (step("RandomBrightnessContrast", 0.5, brightness_limit=(0, 0), contrast_limit=(-0.2, 0.2)),),
    ),
    "0.5 CoarseDropout with its defaults": ("A.CoarseDropout()", (holes((8, 8), (8, 8), (8, 8)),)),
    "0.5 least is the most where not given": (
        "A.CoarseDropout(max_holes=2, max_height=10, max_width=6)",
        (holes((2, 2), (10, 10), (6, 6)),),
    ),
    "0.5 least and most": (
        "A.CoarseDropout(3, 12, 10, 1, 4, 5, 128)",
        (holes((1, 3), (4, 12), (5, 10), 128),),
    ),
    "0.5 the mean on the scale of pixels": (
        "A.CoarseDropout(1, 16, 16, fill_value=[0.4914*255, 0.4822*255, 0.4465*255], always_apply=True)",
        (holes((1, 1), (16, 16), (16, 16), (125, 122, 113), 1.0),),
    ),
    "0.5 ColorJitter with its defaults": (
        "A.ColorJitter()",
        (
            step(
                "ColorJitter",
                brightness=(0.8, 1.2),
                contrast=(0.8, 1.2),
                saturation=(0.8, 1.2),
                hue=(-0.2, 0.2),
            ),
        ),
    ),
    "0.5 ColorJitter beyond 1 stops at 0": (
        "A.ColorJitter(1.5, 0, (0.5, 1.5), 0.1)",
        (step("ColorJitter", brightness=(0, 2.5), contrast=(1, 1), saturation=(0.5, 1.5), hue=(-0.1, 0.1)),),
    ),
    "1.0 padded crop": (
        "A.PadIfNeeded(min_height=40, min_width=40, always_apply=True), A.RandomCrop(32, 32)",
        (PADDED, CROP),
    ),
    "1.0 padded crop, black, sides apart": (
        "A.PadIfNeeded(37, 40, border_mode=cv2.BORDER_CONSTANT, value=0), A.RandomCrop(height=32, width=32)",
        (step("Pad", 1, padding=(4, 2, 4, 3), border_mode=0), CROP),
    ),
    "1.0 padding in a colour, which OpenCV rounds": (
        "A.PadIfNeeded(40, 40, border_mode=0, value=(125.3, 122.9, 114)), A.RandomCrop(32, 32)",
        (step("Pad", 1, padding=4, border_mode=0, fill=(125, 123, 114)), CROP),
    ),
    "1.0 padding that pads nothing": ("A.PadIfNeeded(32, 32), A.HorizontalFlip()", (step("HorizontalFlip"),)),
    "1.0 Rotate": ("A.Rotate(limit=15)", (affine(0, (1, 1), 15, 0.5, translate_percent=(0, 0)),)),
    "1.0 Rotate with its defaults": ("A.Rotate()", (affine(0, (1, 1), 90, 0.5, translate_percent=(0, 0)),)),
    "1.0 Affine with its defaults": (
        "A.Affine()",
        (
            step(
                "Affine",
                scale=(0.9, 1.1),
                translate_percent=(-0.1, 0.1),
                rotate=(-15, 15),
                shear=(-10, 10),
                keep_ratio=False,
                border_mode=0,
            ),
        ),
    ),
    "1.1 Affine with dictionaries": (
        "A.Affine(scale=1.1, translate_px={'x': (-2, 2), 'y': (-2, 2)}, mode=cv2.BORDER_REFLECT, p=0.3)",
        (
            step(
                "Affine",
                0.3,
                scale=(1.1, 1.1),
                translate_px=(-2, 2),
                rotate=(0, 0),
                shear=(0, 0),
                keep_ratio=False,
                border_mode=2,
            ),
        ),
    ),
    "1.1 holes as shares": (
        "A.CoarseDropout(max_holes=1, max_height=0.5, max_width=0.25)",
        (holes((1, 1), (0.5, 0.5), (0.25, 0.25)),),
    ),
    "1.2 the first unnamed argument is not p": ("A.HorizontalFlip(0.2)", (step("HorizontalFlip", 1.0),)),
    "1.2 p behind always_apply": ("A.VerticalFlip(False, 0.1)", (step("VerticalFlip", 0.1),)),
    "1.2 ShiftScaleRotate by place": (
        "A.ShiftScaleRotate(0.1, 0.2, 30)",
        (affine(0.1, (0.8, 1.2), 30, 0.5),),
    ),
    "1.2 ShiftScaleRotate with ranges and a colour": (
        "A.ShiftScaleRotate(scale_limit=(-0.3, 0), rotate_limit=5, border_mode=0, value=[125, 123, 114])",
        (affine(0.0625, (0.7, 1), 5, 0.5, border_mode=0, fill=(125, 123, 114)),),
    ),
    "1.3 RandomBrightnessContrast": (
        "A.RandomBrightnessContrast(brightness_limit=0.1, contrast_limit=(-0.3, 0.1), p=0.2)",
        (step("RandomBrightnessContrast", 0.2, brightness_limit=(-0.1, 0.1), contrast_limit=(-0.3, 0.1)),),
    ),
    "1.3 ToGray": ("A.ToGray(p=0.15)", (step("ToGray", 0.15, method="weighted_average"),)),
    "0.4 JpegCompression": (
        "A.JpegCompression(quality_lower=60, p=0.2)",
        (step("ImageCompression", 0.2, quality_range=(60, 100)),),
    ),
    "0.4 JpegCompression by place": (
        "A.JpegCompression(60, 90)",
        (step("ImageCompression", quality_range=(60, 90)),),
    ),
    "0.4 GaussNoise by its variance": (
        "A.GaussNoise(var_limit=(6.5025, 26.01), mean=51)",
        (step("GaussNoise", std_range=(0.01, 0.02), mean_range=(0.2, 0.2)),),
    ),
    "0.5 GaussNoise with its defaults": (
        "A.GaussNoise(p=1)",
        (step("GaussNoise", 1, std_range=(round(10**0.5 / 255, 6), round(50**0.5 / 255, 6))),),
    ),
    "0.5 GaussianBlur, its deviation by OpenCV's rule": (
        "A.GaussianBlur(blur_limit=(3, 7), p=1)",
        (step("GaussianBlur", 1, blur_limit=(3, 7), sigma_limit=(0.8, 1.4)),),
    ),
    "0.5 GaussianBlur by its largest side": (
        "A.GaussianBlur(5), A.GaussianBlur(3, 0.5, False, 0.2)",
        (
            step("GaussianBlur", blur_limit=(3, 5), sigma_limit=(0.8, 1.1)),
            step("GaussianBlur", 0.2, blur_limit=(3, 3), sigma_limit=(0.1, 0.5)),
        ),
    ),
    "0.5 blurs by their largest side": (
        "A.MotionBlur(5), A.MedianBlur(blur_limit=3), A.Blur(3)",
        (
            step("MotionBlur", blur_limit=(3, 5)),
            step("MedianBlur", blur_limit=(3, 3)),
            step("Blur", blur_limit=3),
        ),
    ),
    "0.5 RandomRotate90 acts on half": ("A.RandomRotate90()", (step("RandomRotate90", 0.5),)),
    "0.5 no arguments but the chance": (
        "A.ChannelShuffle(False, 0.2), A.Transpose(True)",
        (step("ChannelShuffle", 0.2), step("Transpose", 1)),
    ),
    "0.5 ToGray by place": ("A.ToGray(False, 0.2)", (step("ToGray", 0.2, method="weighted_average"),)),
    "0.5 sizes by place": (
        "A.Resize(40, 40), A.RandomResizedCrop(32, 32, (0.5, 1.0)), A.RandomSizedCrop((24, 32), 32, 32)",
        (
            step("Resize", 1, height=40, width=40),
            step("RandomResizedCrop", 1, size=(32, 32), scale=(0.5, 1.0)),
            step("RandomSizedCrop", 1, min_max_height=(24, 32), size=(32, 32)),
        ),
    ),
    "0.5 warps mirror the border": (
        "A.GridDistortion(), A.ElasticTransform(1, 50, alpha_affine=0), A.SafeRotate(limit=30)",
        (
            step("GridDistortion", border_mode=4, normalized=False),
            step("ElasticTransform", alpha=1, sigma=50, border_mode=4),
            step("SafeRotate", limit=30, border_mode=4),
        ),
    ),
    "1.0 a warp with a colour at the border": (
        "A.Perspective(scale=(0.05, 0.1), pad_mode=0, pad_val=[9, 8, 7], mask_pad_val=0)",
        (step("Perspective", scale=(0.05, 0.1), border_mode=0, fill=(9, 8, 7)),),
    ),
    "1.0 PiecewiseAffine, its border by scikit-image's name": (
        "A.PiecewiseAffine(scale=0.04, nb_rows=4, mode='reflect', cval=0)",
        (step("PiecewiseAffine", scale=(0.04, 0.04), nb_rows=(4, 4), border_mode=4, fill=0),),
    ),
    "1.0 two arguments that are one range now": (
        "A.Downscale(scale_min=0.5, scale_max=0.9), A.GridDropout(holes_number_x=4, holes_number_y=3)",
        (
            step("Downscale", scale_range=(0.5, 0.9)),
            step("GridDropout", holes_number_xy=(4, 3), random_offset=False),
        ),
    ),
    "1.0 one of two arguments": (
        "A.RandomSnow(snow_point_upper=0.2)",
        (step("RandomSnow", snow_point_range=(0.1, 0.2)),),
    ),
    "1.0 Solarize on the scale of pixels": (
        "A.Solarize(threshold=51)",
        (step("Solarize", threshold_range=(0.2, 0.2)),),
    ),
    "1.2 one number as border was red": (
        "A.Rotate(15, border_mode=0, value=128)",
        (affine(0, (1, 1), 15, 0.5, translate_percent=(0, 0), border_mode=0, fill=(128, 0, 0)),),
    ),
    "1.3 a range from more to less": (
        "A.Rotate(limit=(15, -15))",
        (affine(0, (1, 1), 15, 0.5, translate_percent=(0, 0)),),
    ),
    "1.4 a length that is always drawn": (
        "A.XYMasking(num_masks_x=1, num_masks_y=(1, 2), mask_x_length=8, mask_y_length=(4, 8), fill_value=0)",
        (
            step(
                "XYMasking",
                num_masks_x=1,
                num_masks_y=(1, 2),
                mask_x_length=(8, 8),
                mask_y_length=(4, 8),
                fill=0,
            ),
        ),
    ),
    "1.4 ranges with the old fill": (
        "A.CoarseDropout(num_holes_range=(1, 2), hole_height_range=(8, 16), fill_value=0.5)",
        (holes((1, 2), (8, 16), (8, 8), 0),),
    ),
    "after Normalize a fraction stays": (
        "A.Normalize(), A.CoarseDropout(1, 8, 8, fill_value=0.5), A.HorizontalFlip()",
        (NORMALIZE, holes((1, 1), (8, 8), (8, 8), 0.5), step("HorizontalFlip")),
    ),
    "2.0 passes as it is": (
        "A.ShiftScaleRotate(), A.Pad(padding=4), A.RandomCrop(32, 32), A.CoarseDropout(fill=.4), A.ToGray()",
        (
            step("ShiftScaleRotate"),
            step("Pad", 1, padding=4),
            CROP,
            step("CoarseDropout", fill=0.4),
            step("ToGray"),
        ),
    ),
    "2.0 the first unnamed argument is p": (
        "A.HorizontalFlip(0.2), A.CoarseDropout(fill=0)",
        (step("HorizontalFlip", 0.2), step("CoarseDropout", fill=0)),
    ),
    "2.0 others by place": (
        "A.Pad(padding=0), A.Resize(32, 32), A.RandomGamma((60, 140)), A.JpegCompression('jpeg', (60, 90))",
        (
            step("Pad", 1, padding=0),
            step("Resize", 1, height=32, width=32),
            step("RandomGamma", gamma_limit=(60, 140)),
            step("ImageCompression", compression_type="jpeg", quality_range=(60, 90)),
        ),
    ),
    "2.0 PadIfNeeded": (
        "A.PadIfNeeded(40, 40, fill=7), A.RandomCrop(32, 32)",
        (step("Pad", 1, padding=4, border_mode=0, fill=7), CROP),
    ),
}
