//! The real CIFAR-10, where it is.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use esgd_models::data::{Augmentation, Sizes, cifar10};

/// The folder with the files, unpacked beside the tests' build; `None` if there are none.
fn folder() -> Option<PathBuf> {
    let Some(data) = env::var_os("ESGD_DATA") else {
        eprintln!("SKIPPED cifar10: ESGD_DATA names no folder with the real files");
        return None;
    };
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cifar10");
    if !to.join("unpacked").exists() {
        std::fs::create_dir_all(&to).unwrap();
        let archive = Path::new(&data).join("cifar-10/cifar-10-binary.tar.xz");
        let tar = Command::new("tar").arg("-xJf").arg(archive).arg("-C").arg(&to).status();
        if !tar.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED cifar10: tar cannot unpack the archive");
            return None;
        }
        std::fs::write(to.join("unpacked"), "").unwrap();
    }
    Some(to)
}

#[test]
fn the_official_files_are_read() {
    let Some(folder) = folder() else { return };
    let sizes = Sizes { validation: Some(5000), ..Sizes::default() };
    let splits = cifar10(&folder, sizes).unwrap();
    assert_eq!(
        (splits.train.len(), splits.validation.len(), splits.test.len()),
        (45_000, 5000, 10_000)
    );
    assert_eq!(splits.train.classes().unwrap(), 10);
    // Images stay bytes: 3072 and a class of 4.
    assert_eq!(splits.train.bytes(), 45_000 * (3072 + 4));

    // All classes of the test set, a thousand of each; the first is a cat.
    let order: Vec<u32> = (0..10_000).collect();
    let (x, y) = splits.test.gather(&order).unwrap();
    let classes = y.to_vec1::<u32>().unwrap();
    assert_eq!(classes[0], 3);
    assert!((0..10).all(|class| classes.iter().filter(|c| **c == class).count() == 1000));
    // Its first pixels are 158, 112 and 49, as the file has them.
    let first = x.get(0).unwrap().flatten_from(1).unwrap().to_vec2::<f32>().unwrap();
    let expected = [(158.0, 0.4914, 0.2470), (112.0, 0.4822, 0.2435), (49.0, 0.4465, 0.2616)];
    for (channel, (byte, mean, deviation)) in first.iter().zip(expected) {
        assert_eq!(channel[0], (byte / 255.0 - mean) / deviation);
    }

    // The constants are the training set's: what is left has mean 0 and deviation 1.
    let all = cifar10(&folder, Sizes::default()).unwrap().train;
    let (mut sum, mut squares) = ([0.0f64; 3], [0.0f64; 3]);
    for start in (0..50_000u32).step_by(5000) {
        let order: Vec<u32> = (start..start + 5000).collect();
        let x = all.gather(&order).unwrap().0.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (i, plane) in x.chunks_exact(1024).enumerate() {
            sum[i % 3] += plane.iter().map(|x| f64::from(*x)).sum::<f64>();
            squares[i % 3] += plane.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        }
    }
    let n = 50_000.0 * 1024.0;
    for c in 0..3 {
        let mean = sum[c] / n;
        let deviation = (squares[c] / n - mean * mean).sqrt();
        assert!(mean.abs() < 5e-4 && (deviation - 1.0).abs() < 5e-4, "{c}: {mean} {deviation}");
    }
    // Evaluation sees the images as they are.
    let cropped = splits.test.augmented(Augmentation { crop: 4, flip: true }).unwrap();
    let same = cropped.gather(&order[..100]).unwrap().0;
    assert_eq!(
        same.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
        x.narrow(0, 0, 100).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
    );
}
