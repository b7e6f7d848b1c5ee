import pytensor as torch


class Sigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
      y = 1.0 / (1.0 + (-x).exp())
      ctx.save_for_backward(y)
      return y

    @staticmethod
    def backward(ctx, grad_y):
      y, = ctx.saved_tensors
      grad_x = grad_y * y * (1.0 - y)
      return grad_x

def sigmoid(x):
  return Sigmoid.apply(x)


N, D_in, H, D_out = 64, 1000, 100, 10
x = torch.randn(N, D_in)
y = torch.randn(N, D_out)
w1 = torch.randn(D_in, H, requires_grad=True)
w2 = torch.randn(H, D_out, requires_grad=True)

learning_rate = 1e-6
for t in range(500):
    y_pred = sigmoid(x.mm(w1)).mm(w2)
    loss = (y_pred -y).pow(2).sum()

    loss.backward()
    if t % 50 == 0:
        print(t, loss.item())

    with torch.no_grad():
        w1 -= learning_rate * w1.grad
        w2 -= learning_rate * w2.grad
        w1.grad.zero_()
        w2.grad.zero_()
