//! Fully connected layers: products of matrices by the crate `gemm`, on one thread.
//!
//! `gemm` chooses its instructions itself, by the processor and by the sizes: unlike the other kernels'
//! these results depend, within rounding, on the processor and on the size of the batch.

use gemm::Parallelism;

use crate::isa::{Isa, vectorized};

/// y = x Wᵀ + b: x is batch × inputs, W outputs × inputs as in PyTorch, b outputs, y batch × outputs.
///
/// ```
/// use esgd_ops::layers::linear;
///
/// let mut y = [0.0; 2];
/// linear::forward(&[1.0, 2.0], &[1.0, 1.0, 0.5, -1.0], Some(&[10.0, 20.0]), &mut y, 2);
/// assert_eq!(y, [13.0, 18.5]);
/// ```
///
/// # Panics
/// If lengths do not fit.
pub fn forward(x: &[f32], w: &[f32], b: Option<&[f32]>, y: &mut [f32], inputs: usize) {
    let outputs = w.len() / inputs;
    let batch = x.len() / inputs;
    let read = if let Some(b) = b {
        assert_eq!(b.len(), outputs);
        y.chunks_exact_mut(outputs).for_each(|row| row.copy_from_slice(b));
        true
    } else {
        false
    };
    product(Matrix(x, batch, inputs), Matrix(w, outputs, inputs).transposed(), read, y);
}

/// dx = dy W.
///
/// # Panics
/// If lengths do not fit.
pub fn input_gradient(dy: &[f32], w: &[f32], dx: &mut [f32], inputs: usize) {
    let outputs = w.len() / inputs;
    let batch = dy.len() / outputs;
    product(Matrix(dy, batch, outputs), Matrix(w, outputs, inputs).view(), false, dx);
}

/// dW = dyᵀ x.
///
/// # Panics
/// If lengths do not fit.
pub fn weight_gradient(dy: &[f32], x: &[f32], dw: &mut [f32], inputs: usize) {
    let outputs = dw.len() / inputs;
    let batch = x.len() / inputs;
    let dy = Matrix(dy, batch, outputs).transposed();
    multiply(dy, Matrix(x, batch, inputs).view(), false, dw);
}

/// db: the sum of dy over the batch.
///
/// # Panics
/// If there are no outputs, or `dy` is not so many rows of them.
pub fn bias_gradient(dy: &[f32], db: &mut [f32]) {
    assert!(!db.is_empty() && dy.len().is_multiple_of(db.len()), "rows of another length");
    add_rows(Isa::best(), dy, db);
}

vectorized! {
    fn add_rows(rows: &[f32], sum: &mut [f32]) {
        sum.fill(0.0);
        for row in rows.chunks_exact(sum.len()) {
            for (sum, x) in sum.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

/// A matrix of so many rows and columns, row by row.
struct Matrix<'a>(&'a [f32], usize, usize);

/// A matrix and the distances from one row, and from one column, to the next.
struct View<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row: isize,
    column: isize,
}

impl<'a> Matrix<'a> {
    fn view(&self) -> View<'a> {
        assert_eq!(self.0.len(), self.1 * self.2, "a matrix of another size");
        View { values: self.0, rows: self.1, columns: self.2, row: self.2 as isize, column: 1 }
    }

    fn transposed(&self) -> View<'a> {
        let View { values, rows, columns, row, column } = self.view();
        View { values, rows: columns, columns: rows, row: column, column: row }
    }
}

fn product(a: Matrix<'_>, b: View<'_>, add: bool, c: &mut [f32]) {
    multiply(a.view(), b, add, c);
}

/// c = a b, or c + a b if `add`; c row by row.
fn multiply(a: View<'_>, b: View<'_>, add: bool, c: &mut [f32]) {
    assert_eq!(a.columns, b.rows, "matrices that cannot be multiplied");
    assert_eq!(c.len(), a.rows * b.columns, "a product of another size");
    // SAFETY: each matrix has as many values as its rows and columns say, which `Matrix::view` and
    // the assertion above have checked, at distances that reach exactly those; c is not a or b.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            c.as_mut_ptr(),
            1,
            b.columns as isize,
            add,
            a.values.as_ptr(),
            a.column,
            a.row,
            b.values.as_ptr(),
            b.column,
            b.row,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_gradients_are_as_defined() {
        let (n, i, o) = (5, 7, 3);
        let value = |k: usize, m: usize| ((k * 31 + m * 17) % 23) as f32 - 11.0;
        let x: Vec<f32> = (0..n * i).map(|k| value(k, 1)).collect();
        let w: Vec<f32> = (0..o * i).map(|k| value(k, 2)).collect();
        let b: Vec<f32> = (0..o).map(|k| value(k, 3)).collect();
        let dy: Vec<f32> = (0..n * o).map(|k| value(k, 4)).collect();
        let sum = |n: usize, f: &dyn Fn(usize) -> f32| (0..n).map(f).sum::<f32>();
        // All are small integers, so every order of adding gives the same.
        let (mut y, mut dx) = (vec![f32::NAN; n * o], vec![f32::NAN; n * i]);
        let (mut dw, mut db) = (vec![f32::NAN; o * i], vec![f32::NAN; o]);
        forward(&x, &w, Some(&b), &mut y, i);
        for (r, c) in (0..n).flat_map(|r| (0..o).map(move |c| (r, c))) {
            assert_eq!(y[r * o + c], b[c] + sum(i, &|k| x[r * i + k] * w[c * i + k]));
        }
        forward(&x, &w, None, &mut y, i);
        assert_eq!(y[0], sum(i, &|k| x[k] * w[k]));
        input_gradient(&dy, &w, &mut dx, i);
        for (r, c) in (0..n).flat_map(|r| (0..i).map(move |c| (r, c))) {
            assert_eq!(dx[r * i + c], sum(o, &|k| dy[r * o + k] * w[k * i + c]));
        }
        weight_gradient(&dy, &x, &mut dw, i);
        for (r, c) in (0..o).flat_map(|r| (0..i).map(move |c| (r, c))) {
            assert_eq!(dw[r * i + c], sum(n, &|k| dy[k * o + r] * x[k * i + c]));
        }
        bias_gradient(&dy, &mut db);
        for (c, db) in db.iter().enumerate() {
            assert_eq!(*db, sum(n, &|k| dy[k * o + c]));
        }
    }
}
